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
        cohort="|".join(sorted(set(COHORTS) - STREAMED - GVCFS)) or "(?!)",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(ingest_memory),
        runtime=growing(ingest_runtime),
        disk_mb=growing(ingest_disk),
    params:
        region=region_of,
        fields=FIELDS,
        polyploid=CONFIG["genotypes"]["polyploid"],
        sites=lambda wildcards, input: sites_options(wildcards.cohort, input.vcf),
        listed=lambda wildcards: COHORTS[wildcards.cohort]["listed_samples"],
    shell:
        "afpanel ingest {input.vcf:q} --samples {input.sheet:q} --region {params.region:q}"
        " --fields '{params.fields}' --polyploid {params.polyploid} {params.sites}"
        " --out {output:q} 2> {log:q}"


# Half a megabase of everybody's gVCF is held at a time.
rule ingest_gvcf:
    input:
        listed=source_of,
        gvcfs=lambda wildcards: COHORTS[wildcards.cohort]["files"],
        sheet=lambda wildcards: ancient(COHORTS[wildcards.cohort]["samples"]),
    output:
        f"{RESULTS}/private/{{cohort}}/genotypes/{{partition}}.vcz.zip",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/ingest.{{partition}}.log",
    wildcard_constraints:
        cohort="|".join(sorted(GVCFS)) or "(?!)",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(gvcf_memory),
        runtime=growing(gvcf_runtime),
    params:
        region=region_of,
        fields=FIELDS,
        filters=filter_options(),
        polyploid=CONFIG["genotypes"]["polyploid"],
        listed=lambda wildcards: COHORTS[wildcards.cohort]["listed_samples"],
    shell:
        "afpanel ingest {input.listed:q} --gvcfs --samples {input.sheet:q} --region {params.region:q}"
        " --fields '{params.fields}' {params.filters} --polyploid {params.polyploid}"
        " --out {output:q} 2> {log:q}"


for number, (stream_cohort, stream_path) in enumerate(STREAMS):

    rule:
        name:
            f"ingest_stream_{number}"
        input:
            vcf=stream_path,
            pvar=pvars_of(stream_cohort, stream_path),
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
            mem_mb=growing(stream_memory(stream_cohort)),
            runtime=growing(stream_runtime(stream_path)),
            disk_mb=growing(stream_disk(stream_path)),
        params:
            out=lambda wildcards, cohort=stream_cohort: (
                f"{RESULTS}/private/{cohort}/genotypes/{{partition}}.vcz.zip"
            ),
            fields=FIELDS,
            polyploid=CONFIG["genotypes"]["polyploid"],
            sites=sites_options(stream_cohort, stream_path),
            listed=COHORTS[stream_cohort]["listed_samples"],
        shell:
            "afpanel ingest {input.vcf:q} --samples {input.sheet:q} --partitions {input.partitions:q}"
            " --fields '{params.fields}' --polyploid {params.polyploid} {params.sites}"
            " --out {params.out:q} 2> {log:q}"


rule harmonize:
    input:
        stores=lambda wildcards: stores_of(wildcards.cohort),
        sheet=lambda wildcards: ancient(COHORTS[wildcards.cohort]["samples"]),
        fasta=CONFIG["reference"]["fasta"],
        aliases=CONFIG["harmonize"]["aliases"] or [],
    output:
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        summary=f"{RESULTS}/private/{{cohort}}/harmonization.json",
        duplicates=f"{RESULTS}/private/{{cohort}}/duplicates.tsv",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/harmonize.log",
    wildcard_constraints:
        cohort="|".join(sorted(set(COHORTS) - LIFTED)) or "(?!)",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(harmonize_memory),
        runtime=growing(harmonize_runtime),
    params:
        reference=reference_options(),
        aliases=alias_options(),
        how=harmonize_options,
        records=lambda wildcards: records_of(wildcards.cohort),
        included=lambda wildcards: COHORTS[wildcards.cohort]["included_samples"],
    shell:
        "afpanel harmonize {input.stores:q} {params.reference} {params.aliases}"
        " --cohort {wildcards.cohort:q} --samples {input.sheet:q} {params.how} {params.records}"
        " --out {output.alleles:q} --summary {output.summary:q} --duplicates {output.duplicates:q}"
        " 2> {log:q}"


# The same for a cohort on another build, whose callable regions are lifted with its variants.
rule harmonize_lifted:
    input:
        stores=lambda wildcards: stores_of(wildcards.cohort),
        sheet=lambda wildcards: ancient(COHORTS[wildcards.cohort]["samples"]),
        fasta=CONFIG["reference"]["fasta"],
        aliases=CONFIG["harmonize"]["aliases"] or [],
        lift=lift_inputs,
    output:
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        summary=f"{RESULTS}/private/{{cohort}}/harmonization.json",
        duplicates=f"{RESULTS}/private/{{cohort}}/duplicates.tsv",
        bed=touch(f"{RESULTS}/private/{{cohort}}/callable.bed"),
    log:
        f"{RESULTS}/private/{{cohort}}/logs/harmonize.log",
    wildcard_constraints:
        cohort="|".join(sorted(LIFTED)) or "(?!)",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(lifted_memory),
        runtime=growing(lifted_runtime),
    params:
        reference=reference_options(),
        aliases=alias_options(),
        how=harmonize_options,
        lift=lift_options,
        records=lambda wildcards: records_of(wildcards.cohort),
        included=lambda wildcards: COHORTS[wildcards.cohort]["included_samples"],
    shell:
        "afpanel harmonize {input.stores:q} {params.reference} {params.aliases} {params.lift}"
        " --cohort {wildcards.cohort:q} --samples {input.sheet:q} {params.how} {params.records}"
        " --out {output.alleles:q} --summary {output.summary:q} --duplicates {output.duplicates:q}"
        " 2> {log:q}"


rule count:
    input:
        store=f"{RESULTS}/private/{{cohort}}/genotypes/{{partition}}.vcz.zip",
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        sheet=lambda wildcards: COHORTS[wildcards.cohort]["samples"],
        exclude=lambda wildcards: (
            f"{RESULTS}/private/{wildcards.cohort}/dropped.txt"
            if DROP and wildcards.cohort in OVERLAPPING
            else []
        ),
    output:
        f"{RESULTS}/private/{{cohort}}/counts/{{partition}}.zarr.zip",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/count.{{partition}}.log",
    conda:
        "../../envs/afpanel.yaml"
    resources:
        mem_mb=growing(count_memory),
        runtime=growing(count_runtime),
    params:
        **{
            key: CONFIG["genotypes"][key]
            for key in CONFIG["genotypes"]
            if key not in ("filters", "polyploid")
        },
        country=lambda wildcards: COHORTS[wildcards.cohort]["country"],
        build=lambda wildcards: COHORTS[wildcards.cohort]["build"],
        people=lambda wildcards: COHORTS[wildcards.cohort]["counted_people"],
        exclude=lambda wildcards, input: (
            f"--exclude {quote(str(input.exclude))}" if input.exclude else ""
        ),
    shell:
        "afpanel count {input.store:q} --alleles {input.alleles:q} --samples {input.sheet:q}"
        " --cohort {wildcards.cohort:q} --country {params.country} --build {params.build:q}"
        " --min-gq {params.min_gq} --min-dp {params.min_dp} --min-ab {params.min_ab}"
        " --min-dp-haploid {params.min_dp_haploid} --half-calls {params.half_calls}"
        " {params.exclude} --out {output:q} 2> {log:q}"
