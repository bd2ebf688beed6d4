# What each cohort goes through where its genotypes are: ingest, harmonize, count.


def source_of(wildcards):
    return PARTITIONS[wildcards.cohort, wildcards.partition]["path"]


def region_of(wildcards):
    partition = PARTITIONS[wildcards.cohort, wildcards.partition]
    return "{source_contig}:{start}-{end}".format(**partition)


def stores_of(cohort):
    return [
        f"{RESULTS}/private/{cohort}/genotypes/{partition['id']}.vcz.zip"
        for partition in COHORTS[cohort]["partitions"]
    ]


# A file without an index is read once, front to back, for all its partitions; so is every file of a
# cohort that has such a one.
STREAMED = {
    name for (name, _), partition in PARTITIONS.items() if not partition["indexed"]
}
STREAMS = sorted(
    {(name, p["path"]) for (name, _), p in PARTITIONS.items() if name in STREAMED}
)


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
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        region=region_of,
        fields=fields_needed(),
        listed=lambda wildcards: COHORTS[wildcards.cohort]["listed_samples"],
    shell:
        "afpanel ingest '{input.vcf}' --samples '{input.sheet}' --region '{params.region}'"
        " --fields '{params.fields}' --out {output} 2> {log}"


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
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
        params:
            out=lambda wildcards, cohort=stream_cohort: (
                f"{RESULTS}/private/{cohort}/genotypes/{{partition}}.vcz.zip"
            ),
            fields=fields_needed(),
            listed=COHORTS[stream_cohort]["listed_samples"],
        shell:
            "afpanel ingest '{input.vcf}' --samples '{input.sheet}' --partitions {input.partitions}"
            " --fields '{params.fields}' --out '{params.out}' 2> {log}"


rule harmonize:
    input:
        stores=lambda wildcards: stores_of(wildcards.cohort),
        fasta=CONFIG["reference"]["fasta"],
    output:
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        summary=f"{RESULTS}/private/{{cohort}}/harmonization.json",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/harmonize.log",
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        reference=reference_options(),
        aliases=alias_options(),
        limit=CONFIG["harmonize"]["max_ref_mismatch"],
        filters=" ".join(
            f"--filter '{name}'" for name in CONFIG["genotypes"]["filters"] or ["*"]
        ),
    shell:
        "afpanel harmonize {input.stores} {params.reference} {params.aliases}"
        " --cohort {wildcards.cohort} {params.filters} --max-ref-mismatch {params.limit}"
        " --out {output.alleles} --summary {output.summary} 2> {log}"


rule count:
    input:
        store=f"{RESULTS}/private/{{cohort}}/genotypes/{{partition}}.vcz.zip",
        alleles=f"{RESULTS}/private/{{cohort}}/alleles.zarr.zip",
        sheet=lambda wildcards: COHORTS[wildcards.cohort]["samples"],
    output:
        f"{RESULTS}/private/{{cohort}}/counts/{{partition}}.zarr.zip",
    log:
        f"{RESULTS}/private/{{cohort}}/logs/count.{{partition}}.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        **{
            key: CONFIG["genotypes"][key]
            for key in CONFIG["genotypes"]
            if key != "filters"
        },
        country=lambda wildcards: COHORTS[wildcards.cohort]["country"],
        build=BUILD,
    shell:
        "afpanel count {input.store} --alleles {input.alleles} --samples '{input.sheet}'"
        " --cohort {wildcards.cohort} --country {params.country} --build {params.build}"
        " --min-gq {params.min_gq} --min-dp {params.min_dp} --min-ab {params.min_ab}"
        " --min-dp-haploid {params.min_dp_haploid} --half-calls {params.half_calls}"
        " --out {output} 2> {log}"
