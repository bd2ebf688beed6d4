# What the hub does with all cohorts together: overlap, merge, compare, gate, publish, and
# population genetics; membership risk where it is asked for.


# The table of pairs is no output: it is what the user needs to see after a refusal, and Snakemake
# deletes the outputs of a job that failed.
rule overlap:
    input:
        stores=[store for name in OVERLAPPING for store in stores_of(name)],
        alleles=expand(
            f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip", cohort=OVERLAPPING
        ),
        sheets=[COHORTS[name]["samples"] for name in OVERLAPPING],
        callable=list(given_callable().values()) if DROP else [],
    output:
        report=f"{RESULTS}/private/overlap.json",
        dropped=expand(
            f"{RESULTS}/private/{{cohort}}/dropped.txt",
            cohort=OVERLAPPING if DROP else [],
        ),
    log:
        f"{RESULTS}/private/logs/overlap.log",
    conda:
        "../../envs/afpanel.yaml"
    threads: 8
    resources:
        mem_mb=growing(overlap_memory),
        runtime=growing(overlap_runtime),
    params:
        options=lambda wildcards: overlap_options(),
        pairs=f"{RESULTS}/private/overlap.tsv",
    shell:
        "afpanel overlap {params.options} --pairs {params.pairs:q} --report {output.report:q}"
        " 2> {log:q}"


# Where no cohort has genotypes there is nobody to look for.
OVERLAP = [rules.overlap.output.report] if OVERLAPPING else []


rule merge:
    input:
        counts=counts_of,
        overlap=OVERLAP,
        callable=list(callable_files(ADDED).values()),
        fasta=CONFIG["reference"]["fasta"],
        aliases=CONFIG["harmonize"]["aliases"] or [],
    output:
        f"{RESULTS}/panel/merged/{{contig}}.zarr.zip",
    log:
        f"{RESULTS}/private/logs/merge.{{contig}}.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(merge_memory),
        runtime=growing(merge_runtime),
    params:
        reference=reference_options(),
        aliases=alias_options(),
        build=BUILD,
        callable=callable_options(ADDED),
    shell:
        "afpanel merge {input.counts:q} --contig {wildcards.contig:q} {params.reference}"
        " {params.aliases} --build {params.build} {params.callable} --out {output:q} 2> {log:q}"


# Internal to the hub: where one cohort disagrees with the others of its populations.
rule discordance:
    input:
        counts=ALL_COUNTS,
        overlap=OVERLAP,
        callable=list(callable_files(COHORTS).values()),
        fasta=CONFIG["reference"]["fasta"],
        aliases=CONFIG["harmonize"]["aliases"] or [],
    output:
        DISCORDANCE,
    log:
        f"{RESULTS}/private/logs/discordance.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(discordance_memory),
        runtime=growing(discordance_runtime),
    params:
        listed=COUNTS_LIST,
        reference=reference_options(),
        aliases=alias_options(),
        build=BUILD,
        callable=callable_options(COHORTS),
        out=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "afpanel discordance --list {params.listed:q} {params.reference} {params.aliases}"
        " --build {params.build} {params.callable} --out {params.out:q} 2> {log:q}"


rule gate:
    input:
        panels=expand(f"{RESULTS}/panel/merged/{{contig}}.zarr.zip", contig=CONTIGS),
        policy=CONFIG["disclosure"]["policy"],
        contributors=f"{RESULTS}/private/contributors.json",
    output:
        panels=expand(f"{RESULTS}/panel/releasable/{{contig}}.zarr.zip", contig=CONTIGS),
        decision=f"{RESULTS}/panel/decision.json",
    log:
        f"{RESULTS}/private/logs/gate.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        out=lambda wildcards, output: str(Path(output.decision).parent / "releasable"),
        as_of=(
            f"--as-of {CONFIG['disclosure']['as_of']}"
            if CONFIG["disclosure"]["as_of"]
            else ""
        ),
    shell:
        "afpanel gate {input.panels:q} --policy {input.policy:q}"
        " --contributors {input.contributors:q} {params.as_of} --out {params.out:q}"
        " --decision {output.decision:q} 2> {log:q}"


# Where the genotypes are: how linked the released variants are, and attacks on people held out.
rule linkage:
    input:
        panels=rules.gate.output.panels,
        stores=lambda wildcards: stores_of(wildcards.cohort),
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        sheet=lambda wildcards: COHORTS[wildcards.cohort]["samples"],
        exclude=f"{RESULTS}/private/{{cohort}}/dropped.txt" if DROP else [],
    output:
        f"{RESULTS}/private/{{cohort}}/linkage.json",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/linkage.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(linkage_memory),
        runtime=growing(linkage_runtime),
    params:
        country=lambda wildcards: COHORTS[wildcards.cohort]["country"],
        folder=lambda wildcards, output: str(Path(output[0]).parent),
        alpha=CONFIG["risk"]["alpha"],
        exclude=lambda wildcards, input: (
            f"--exclude {quote(str(input.exclude))}" if DROP else ""
        ),
    shell:
        "afpanel linkage {input.panels:q} --cohort {wildcards.cohort:q} --country {params.country}"
        " --folder {params.folder:q} --samples {input.sheet:q} {params.exclude}"
        " --alpha {params.alpha} --out {output:q} 2> {log:q}"


# `snakemake risk`, before a release is handed out. It is no part of the manifest that the workflow writes:
# cohorts that come as counts have no linkage, and the release must not depend on how they came.
rule risk:
    input:
        panels=rules.gate.output.panels,
        decision=rules.gate.output.decision,
        linkage=expand(
            f"{RESULTS}/private/{{cohort}}/linkage.json", cohort=sorted(OVERLAPPING)
        ),
    output:
        expand(
            f"{RESULTS}/panel/risk/risk.{{suffix}}",
            suffix=["json", "tsv", "svg", "txt"],
        ),
    log:
        f"{RESULTS}/private/logs/risk.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        options=risk_options(),
        linkage=lambda wildcards, input: " ".join(
            f"--linkage {quote(path)}" for path in input.linkage
        ),
        out=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "afpanel risk {input.panels:q} --decision {input.decision:q} {params.linkage}"
        " {params.options} --out {params.out:q} 2> {log:q}"


rule popgen:
    input:
        rules.gate.output.panels,
    output:
        expand(
            f"{RESULTS}/panel/popgen/{{statistic}}.{{suffix}}",
            statistic=["fst", "heterozygosity", "sfs", "sharing", "private", "pca"],
            suffix=["tsv", "svg"],
        ),
    log:
        f"{RESULTS}/private/logs/popgen.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        out=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "afpanel popgen {input:q} --out {params.out:q} 2> {log:q}"


rule publish:
    input:
        panels=rules.gate.output.panels,
        decision=rules.gate.output.decision,
        harmonization=[harmonization_of(name) for name in COHORTS],
        received=expand(
            f"{RESULTS}/private/{{cohort}}/received/received.json",
            cohort=sorted(CONTRIBUTIONS),
        ),
        plan=ancient(f"{RESULTS}/private/plan.json"),
        # None of whose samples may be in the release; whom they count is in the panels already.
        sheets=ancient([COHORTS[name]["samples"] for name in WITH_GENOTYPES]),
        overlap=OVERLAP,
        discordance=DISCORDANCE,
        popgen=rules.popgen.output,
        previous=PREVIOUS,
        fasta=CONFIG["reference"]["fasta"],
    output:
        data=[path for path in RELEASE_FILES if not path.endswith((".json", ".html"))],
        manifest=f"{RELEASE}/manifest.json",
        page=report(
            f"{RELEASE}/report.html",
            caption="../report/page.rst",
            category="Release",
            labels={"what": "report.html"},
        ),
        summary=f"{RESULTS}/private/summary.txt",
        # For the hub: its own page, and the figures of the release.
        hub=f"{RESULTS}/panel/report/report.html",
        drawings=[figure_of(name, "svg") for name in FIGURES],
        tables=[figure_of(name, "tsv") for name in FIGURES],
    log:
        f"{RESULTS}/private/logs/publish.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        reference=reference_options(),
        build=BUILD,
        panel=CONFIG["panel"],
        parameters=[CONFIG["genotypes"], CONFIG["harmonize"]],
        harmonization=lambda wildcards, input: " ".join(
            f"--harmonization {quote(path)}" for path in input.harmonization
        ),
        received=lambda wildcards, input: " ".join(
            f"--received {quote(path)}" for path in input.received
        ),
        excluded=" ".join(
            f"--grpmax-exclude {quote(name)}"
            for name in CONFIG["groups"]["grpmax_exclude"]
        ),
        formats=" ".join(f"--format {name}" for name in CONFIG["publish"]["formats"]),
        overlap=" ".join(f"--overlap {quote(path)}" for path in OVERLAP),
        discordance=lambda wildcards, input: next(
            path for path in input.discordance if path.endswith("/cohorts.tsv")
        ),
        popgen=lambda wildcards, input: str(Path(input.popgen[0]).parent),
        previous=" ".join(
            f"--previous {quote(str(Path(path).parent))}" for path in PREVIOUS
        ),
        hub=lambda wildcards, output: str(Path(output.hub).parent),
        out=lambda wildcards, output: str(Path(output.manifest).parent),
    shell:
        "afpanel publish {input.panels:q} --decision {input.decision:q} {params.harmonization}"
        " --plan {input.plan:q} {params.received} {params.overlap}"
        " --discordance {params.discordance:q} --popgen {params.popgen:q} {params.previous}"
        " --hub-report {params.hub:q} {params.reference} --build {params.build}"
        " --name {params.panel[name]:q} --panel-version {params.panel[version]:q}"
        " {params.formats} {params.excluded} --out {params.out:q} --summary {output.summary:q} 2> {log:q}"
