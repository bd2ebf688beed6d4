# What the hub does with the counts of all cohorts: merge, gate, publish.


def counts_of(wildcards):
    """All counts of a contig; of a cohort that has none, one other, which tells who is silent."""
    paths = []
    for name, cohort in COHORTS.items():
        ids = [p["id"] for p in cohort["partitions"] if p["contig"] == wildcards.contig]
        ids = ids or [cohort["partitions"][0]["id"]]
        paths += [
            f"{RESULTS}/private/{name}/counts/{partition}.zarr.zip" for partition in ids
        ]
    return paths


def beds():
    return {
        name: c["callable"] for name, c in COHORTS.items() if c["callable"] is not None
    }


rule merge:
    input:
        counts=counts_of,
        beds=list(beds().values()),
        fasta=CONFIG["reference"]["fasta"],
    output:
        f"{RESULTS}/panel/merged/{{contig}}.zarr.zip",
    log:
        f"{RESULTS}/panel/logs/merge.{{contig}}.log",
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        reference=reference_options(),
        aliases=alias_options(),
        build=BUILD,
        beds=" ".join(f"--callable '{name}={path}'" for name, path in beds().items()),
    shell:
        "afpanel merge {input.counts} --contig {wildcards.contig} {params.reference}"
        " {params.aliases} --build {params.build} {params.beds} --out {output} 2> {log}"


rule gate:
    input:
        panels=expand(f"{RESULTS}/panel/merged/{{contig}}.zarr.zip", contig=CONTIGS),
        policy=CONFIG["disclosure"]["policy"],
    output:
        panels=expand(f"{RESULTS}/panel/releasable/{{contig}}.zarr.zip", contig=CONTIGS),
        decision=f"{RESULTS}/panel/decision.json",
    log:
        f"{RESULTS}/panel/logs/gate.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        out=f"{RESULTS}/panel/releasable",
    shell:
        "afpanel gate {input.panels} --policy '{input.policy}' --out {params.out}"
        " --decision {output.decision} 2> {log}"


rule publish:
    input:
        panels=rules.gate.output.panels,
        decision=rules.gate.output.decision,
        harmonization=expand(
            f"{RESULTS}/private/{{cohort}}/harmonization.json", cohort=COHORTS
        ),
        plan=ancient(f"{RESULTS}/private/plan.json"),
        fasta=CONFIG["reference"]["fasta"],
    output:
        release=RELEASE_FILES,
        summary=f"{RESULTS}/panel/summary.txt",
    log:
        f"{RESULTS}/panel/logs/publish.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        reference=reference_options(),
        build=BUILD,
        panel=CONFIG["panel"],
        parameters=[CONFIG["genotypes"], CONFIG["harmonize"]],
        harmonization=lambda wildcards, input: " ".join(
            f"--harmonization {path}" for path in input.harmonization
        ),
        formats=" ".join(f"--format {name}" for name in CONFIG["publish"]["formats"]),
        out=RELEASE,
    shell:
        "afpanel publish {input.panels} --decision {input.decision} {params.harmonization}"
        " --plan {input.plan} {params.reference} --build {params.build}"
        " --name '{params.panel[name]}' --panel-version '{params.panel[version]}'"
        " {params.formats} --out {params.out} --summary {output.summary} 2> {log}"
