# What each cohort goes through where its genotypes are: ingest, harmonize, count.


# Indexed files are read in parallel, a job per partition. A sheet may change its labels without the
# file being read again, so its age does not matter here; the list of its samples does.
rule ingest:
    input:
        vcf=source_of,
        sheet=lambda wildcards: ancient(COHORTS[wildcards.cohort]["samples"]),
    output:
        f"{RESULTS}/private/{{cohort}}/genotypes/{{partition}}.vcz.zip",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/ingest.{{partition}}.log",
    wildcard_constraints:
        cohort="|".join(sorted(set(COHORTS) - STREAMED)) or "(?!)",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        region=region_of,
        fields=FIELDS,
        polyploid=CONFIG["genotypes"]["polyploid"],
        listed=lambda wildcards: COHORTS[wildcards.cohort]["listed_samples"],
    shell:
        "afpanel ingest {input.vcf:q} --samples {input.sheet:q} --region {params.region:q}"
        " --fields '{params.fields}' --polyploid {params.polyploid} --out {output:q} 2> {log:q}"


for number, (stream_cohort, stream_path) in enumerate(STREAMS):

    rule:
        name:
            f"ingest_stream_{number}"
        input:
            vcf=stream_path,
            sheet=ancient(COHORTS[stream_cohort]["samples"]),
            partitions=ancient(f"{RESULTS}/private/{stream_cohort}/partitions.tsv"),
        output:
            [
                f"{RESULTS}/private/{stream_cohort}/genotypes/{partition}.vcz.zip"
                for (cohort, partition), p in PARTITIONS.items()
                if (cohort, p["path"]) == (stream_cohort, stream_path)
            ],
        log:
            f"{RESULTS}/private/{stream_cohort}/logs/ingest.stream-{number}.log",
        conda:
            "../../envs/afpanel.yaml"
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
        params:
            out=lambda wildcards, cohort=stream_cohort: (
                f"{RESULTS}/private/{cohort}/genotypes/{{partition}}.vcz.zip"
            ),
            fields=FIELDS,
            polyploid=CONFIG["genotypes"]["polyploid"],
            listed=COHORTS[stream_cohort]["listed_samples"],
        shell:
            "afpanel ingest {input.vcf:q} --samples {input.sheet:q} --partitions {input.partitions:q}"
            " --fields '{params.fields}' --polyploid {params.polyploid} --out {params.out:q} 2> {log:q}"


rule harmonize:
    input:
        stores=lambda wildcards: stores_of(wildcards.cohort),
        fasta=CONFIG["reference"]["fasta"],
        aliases=CONFIG["harmonize"]["aliases"] or [],
    output:
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        summary=f"{RESULTS}/private/{{cohort}}/harmonization.json",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/harmonize.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        reference=reference_options(),
        aliases=alias_options(),
        limit=CONFIG["harmonize"]["max_ref_mismatch"],
        resolve=",".join(CONFIG["harmonize"]["resolve"]),
        records=lambda wildcards: records_of(wildcards.cohort),
        filters=" ".join(
            f"--filter {quote(name)}"
            for name in CONFIG["genotypes"]["filters"] or ["*"]
        ),
    shell:
        "afpanel harmonize {input.stores:q} {params.reference} {params.aliases}"
        " --cohort {wildcards.cohort:q} {params.filters} {params.records} --max-ref-mismatch {params.limit}"
        " --resolve '{params.resolve}'"
        " --out {output.alleles:q} --summary {output.summary:q} 2> {log:q}"


rule count:
    input:
        store=f"{RESULTS}/private/{{cohort}}/genotypes/{{partition}}.vcz.zip",
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        sheet=lambda wildcards: COHORTS[wildcards.cohort]["samples"],
    output:
        f"{RESULTS}/private/{{cohort}}/counts/{{partition}}.zarr.zip",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/count.{{partition}}.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        **{
            key: CONFIG["genotypes"][key]
            for key in CONFIG["genotypes"]
            if key not in ("filters", "polyploid")
        },
        country=lambda wildcards: COHORTS[wildcards.cohort]["country"],
        build=BUILD,
    shell:
        "afpanel count {input.store:q} --alleles {input.alleles:q} --samples {input.sheet:q}"
        " --cohort {wildcards.cohort:q} --country {params.country} --build {params.build}"
        " --min-gq {params.min_gq} --min-dp {params.min_dp} --min-ab {params.min_ab}"
        " --min-dp-haploid {params.min_dp_haploid} --half-calls {params.half_calls}"
        " --out {output:q} 2> {log:q}"
