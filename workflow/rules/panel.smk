# What the hub does with all cohorts together: overlap, merge, compare, gate, membership risk, publish, and
# population genetics.


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


# Whom the cohorts count, beside the releases that the ledger has. It names nobody, and is private all the same.
# The ledger is no input: it grows when this very release is recorded.
rule settle:
    input:
        counts=[path for name in ADDED for _, path in counts_by_contig(name)],
        sheets=[COHORTS[name]["samples"] for name in WITH_GENOTYPES if name in ADDED],
        overlap=OVERLAP,
        callable=list(callable_files(ADDED).values()),
        policy=CONFIG["disclosure"]["policy"],
        plan=ancient(f"{RESULTS}/private/plan.json"),
    output:
        f"{RESULTS}/private/settled.json",
    log:
        f"{RESULTS}/private/logs/settle.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        listed=COUNTS_LIST,
        ledger=LEDGER,
        release=release_options(),
        options=settle_options(),
    shell:
        "afpanel settle --list {params.listed:q} --ledger {params.ledger:q} --plan {input.plan:q}"
        " --policy {input.policy:q} {params.release} {params.options} --out {output:q} 2> {log:q}"


rule merge:
    input:
        counts=counts_of,
        settled=SETTLED if REUSE else [],
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
        settled=f"--settled {quote(SETTLED[0])}" if REUSE else "",
    shell:
        "afpanel merge {input.counts:q} --contig {wildcards.contig:q} {params.reference}"
        " {params.aliases} --build {params.build} {params.callable} {params.settled}"
        " --out {output:q} 2> {log:q}"


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
    threads: 2
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
        " --build {params.build} {params.callable} --threads {threads} --out {params.out:q} 2> {log:q}"


rule gate:
    input:
        panels=expand(f"{RESULTS}/panel/merged/{{contig}}.zarr.zip", contig=CONTIGS),
        policy=CONFIG["disclosure"]["policy"],
        contributors=f"{RESULTS}/private/contributors.json",
        settled=SETTLED,
        external=[
            path
            for each in CONFIG["disclosure"]["external_releases"]
            for path in [Path(each["path"])]
            if path.is_file()
        ],
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
        beside=beside_options(),
    shell:
        "afpanel gate {input.panels:q} --policy {input.policy:q}"
        " --contributors {input.contributors:q} {params.as_of} {params.beside}"
        " --out {params.out:q} --decision {output.decision:q} 2> {log:q}"


# The table, the chart and the words are no outputs: they are what the user needs to see after a refusal, and
# Snakemake deletes the outputs of a job that failed.
rule risk:
    input:
        panels=rules.gate.output.panels,
        decision=rules.gate.output.decision,
        linkage=LINKAGE,
    output:
        f"{RESULTS}/panel/risk/risk.json",
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


# Snakemake would let the linear algebra of components use as many threads, on which its rounding may depend.
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
    threads: 2
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        out=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "OPENBLAS_NUM_THREADS=1 afpanel popgen {input:q} --threads {threads} --out {params.out:q} 2> {log:q}"


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
        risk=rules.risk.output[0],
        popgen=rules.popgen.output,
        previous=PREVIOUS,
        fasta=CONFIG["reference"]["fasta"],
    output:
        data=[
            directory(path) if path.endswith(".gdi") else path
            for path in RELEASE_FILES
            if not path.endswith((".json", ".html"))
        ],
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
    threads: 8
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
            path for path in input.discordance if Path(path).name == "cohorts.tsv"
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
        " --discordance {params.discordance:q} --risk {input.risk:q} --popgen {params.popgen:q}"
        " {params.previous} --hub-report {params.hub:q} {params.reference} --build {params.build}"
        " --name {params.panel[name]:q} --panel-version {params.panel[version]:q}"
        " {params.formats} {params.excluded} --out {params.out:q} --summary {output.summary:q} 2> {log:q}"


# The entry of a release that was recorded before stays as it is; another of its name is refused.
rule record:
    input:
        merged=rules.gate.input.panels,
        releasable=rules.gate.output.panels,
        decision=rules.gate.output.decision,
        settled=SETTLED,
        manifest=f"{RELEASE}/manifest.json",
    output:
        f"{RESULTS}/private/recorded.json",
    log:
        f"{RESULTS}/private/logs/record.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        ledger=LEDGER,
        release=lambda wildcards, input: str(Path(input.manifest).parent),
        merged=lambda wildcards, input: " ".join(
            f"--merged {quote(path)}" for path in input.merged
        ),
        releasable=lambda wildcards, input: " ".join(
            f"--releasable {quote(path)}" for path in input.releasable
        ),
        keep="--keep-counts" if REUSE else "",
    shell:
        "afpanel ledger record {params.ledger:q} {params.release:q} {params.merged}"
        " {params.releasable} --decision {input.decision:q} --settled {input.settled:q}"
        " {params.keep} --out {output:q} 2> {log:q}"


# `snakemake catalogue`: a page and a DCAT-AP file of all releases and contributions that are there.
rule catalogue:
    input:
        f"{RELEASE}/manifest.json",
    output:
        directory(f"{RESULTS}/catalogue"),
    log:
        f"{RESULTS}/private/logs/catalogue.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(panel_memory),
        runtime=growing(panel_runtime),
    params:
        sources=lambda wildcards: " ".join(
            quote(f"{RESULTS}/{name}")
            for name in ("release", "contributions")
            if name == "release" or Path(RESULTS, name).is_dir()
        ),
        publisher=CONFIG["panel"]["name"],
    shell:
        "afpanel catalog build {params.sources} --publisher {params.publisher:q} --out {output:q} 2> {log:q}"
