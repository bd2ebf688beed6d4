# Contributions: made at home of a cohort's counts, and taken in at the hub.


# `snakemake contributions` at home: one file for each cohort that has genotypes, and a page that shows
# what is in it.
rule contributions:
    input:
        expand(
            f"{RESULTS}/contributions/{{cohort}}.{{suffix}}",
            cohort=WITH_GENOTYPES,
            suffix=["afc.zip", "preview.txt"],
        ),
    localrule: True


rule package:
    input:
        counts=lambda wildcards: [
            path for _, path in counts_by_contig(wildcards.cohort)
        ],
        harmonization=f"{RESULTS}/private/{{cohort}}/harmonization.json",
        plan=f"{RESULTS}/private/plan.json",
        callable=lambda wildcards: callable_files(COHORTS).get(wildcards.cohort, []),
        metadata=lambda wildcards: COHORTS[wildcards.cohort]["metadata"] or [],
        regions=CONFIG["sharing"]["leave_out_regions"] or [],
        fasta=CONFIG["reference"]["fasta"],
    output:
        contribution=f"{RESULTS}/contributions/{{cohort}}.afc.zip",
        preview=f"{RESULTS}/contributions/{{cohort}}.preview.txt",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/package.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=fixed(2000),
        runtime=growing(lambda wildcards: counts_runtime(wildcards.cohort)),
    params:
        reference=reference_options(),
        callable=lambda wildcards, input: (
            f"--callable {quote(str(input.callable))}" if input.callable else ""
        ),
    shell:
        "afpanel package {input.counts:q} --cohort {wildcards.cohort:q} --plan {input.plan:q}"
        " --harmonization {input.harmonization:q} {params.callable} {params.reference}"
        " --out {output.contribution:q} --preview-out {output.preview:q} 2> {log:q}"


# What is found is printed, and stands in the log too: it is what the hub answers the programme. The register
# stays when results are deleted file by file, for it is no output.
for receive_cohort in sorted(CONTRIBUTIONS):

    rule:
        name:
            f"receive_{receive_cohort.replace('-', '_')}"
        input:
            contribution=COHORTS[receive_cohort]["files"],
            signers=[
                CONFIG[key]
                for key in ("allowed_signers", "revoked_keys")
                if CONFIG[key] is not None
            ],
            plan=ancient(f"{RESULTS}/private/plan.json"),
            fasta=CONFIG["reference"]["fasta"],
        output:
            [path for _, path in counts_by_contig(receive_cohort)],
            received=f"{RESULTS}/private/{receive_cohort}/received/received.json",
            harmonization=harmonization_of(receive_cohort),
        log:
            f"{RESULTS}/private/{receive_cohort}/logs/verify.log",
        conda:
            "../../envs/afpanel.yaml"
        resources:
            mem_mb=fixed(2000),
            runtime=fixed(counts_runtime(receive_cohort)),
        params:
            cohort=receive_cohort,
            country=COHORTS[receive_cohort]["country"],
            reference=reference_options(),
            build=BUILD,
            options=verify_options(),
            register=f"{RESULTS}/private/editions",
            out=lambda wildcards, output: str(Path(output.received).parent),
        shell:
            ": > {log:q}; afpanel verify {input.contribution:q} {params.reference} --build {params.build}"
            " --cohort {params.cohort:q} --country {params.country} {params.options}"
            " --register {params.register:q} --plan {input.plan:q} --out {params.out:q}"
            " 2>> {log:q} | tee -a {log:q}"
