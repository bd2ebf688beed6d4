# What the rules know of the configuration: the plan that `afpanel validate` makes of it.
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from shlex import quote

# Where the package is installed beside snakemake, its command is found without activating anything.
shell.prefix(f'set -euo pipefail; export PATH="$PATH:{Path(sys.executable).parent}"; ')


def write_whole(path, text):
    """Write a file that appears whole, unless it says the same already."""
    if path.is_file() and path.read_text() == text:
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text)
    partial.replace(path)


def begin_run(private):
    """Hold the lock of a folder of results as long as this process lives; tell whether it was had.

    Somebody may only be looking (snakemake -n), so it is tried for a moment. Where the file system has no
    locks nobody holds any.
    """
    lock = os.open(private / "run.lock", os.O_RDWR | os.O_CREAT, 0o666)
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        except OSError:
            return True
        else:
            return True
    os.close(lock)
    return False


def make_plan():
    """Check all inputs and lay out the work; costs little while nothing has changed."""
    results = Path(config.get("results", "results"))
    private = results / "private"
    plan_path = private / "plan.json"
    if workflow.remote_exec and plan_path.is_file():
        # A job on a cluster goes by the plan it was submitted for: thousands of jobs need not look at all
        # inputs again, nor write what others are reading.
        return json.loads(plan_path.read_text())
    private.mkdir(parents=True, exist_ok=True)
    effective = private / "config.json"
    # YAML reads a day without quotation marks as a date, of which JSON has none.
    text = json.dumps(config, indent=1, sort_keys=True, default=str) + "\n"
    # Jobs on other machines read the workflow too, while the run that they are of goes on.
    clean = []
    if workflow.is_main_process:
        if begin_run(private):
            clean = ["--clean", str(results)]
        elif not effective.is_file() or effective.read_text() != text:
            raise WorkflowError(
                f"Another run is going in {results}, with another configuration: its plan may not change under "
                "it. See `afpanel status`; wait until it ends, or give this one a folder of results of its own."
            )
        else:
            print(
                f"Another run is going in {results}: see `afpanel status`. This one can look, but not take part.",
                file=sys.stderr,
            )
    write_whole(effective, text)
    command = [
        sys.executable,
        "-m",
        "afpanel",
        "validate",
        str(effective),
        "--plan",
        str(plan_path),
        *clean,
    ]
    code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    if code == 1:
        raise WorkflowError("The run cannot begin; why is said above.")
    if code:
        raise WorkflowError(
            "The inputs are not fit for use; the faults are listed above."
        )
    return json.loads(plan_path.read_text())


PLAN = make_plan()
CONFIG = PLAN["config"]
RESULTS = CONFIG["results"]
COHORTS = PLAN["cohorts"]
CONTIGS = PLAN["contigs"]
FIELDS = ",".join(PLAN["fields"])
BUILD = CONFIG["reference"]["build"]
PARTITIONS = {
    (name, partition["id"]): partition
    for name, cohort in COHORTS.items()
    for partition in cohort["partitions"]
}
NAME = "{name}-{version}".format(**CONFIG["panel"])
PEOPLE = sum(
    cohort["people"] for cohort in COHORTS.values() if cohort["kind"] != "contribution"
)
RELEASE = f"{RESULTS}/release/{NAME}"


wildcard_constraints:
    cohort="[A-Za-z][A-Za-z0-9-]*",
    partition="[^/]+",
    contig="[^/]+",


def reference_options():
    """How commands find the reference and the contig names."""
    fai = Path(PLAN["reference_index"][0])
    options = f"--reference {quote(CONFIG['reference']['fasta'])}"
    if fai.parent != Path(CONFIG["reference"]["fasta"]).parent:
        options += f" --reference-index {quote(str(fai.parent))}"
    return options


def alias_options():
    """The user's table of contig names, if there is one."""
    aliases = CONFIG["harmonize"]["aliases"]
    return f"--aliases {quote(aliases)}" if aliases else ""


def filter_options():
    """Which FILTER values are accepted."""
    filters = CONFIG["genotypes"]["filters"] or ["*"]
    return " ".join(f"--filter {quote(name)}" for name in filters)


def harmonize_options(wildcards):
    """What `afpanel harmonize` is told of a cohort; of gVCFs, FILTERs were looked at by ingest."""
    chosen = CONFIG["harmonize"]
    return " ".join(
        [
            f"--max-ref-mismatch {chosen['max_ref_mismatch']}",
            f"--resolve '{','.join(chosen['resolve'])}'",
            "--filter '*'" if wildcards.cohort in GVCFS else filter_options(),
            *(f"--ignore-contig {quote(name)}" for name in chosen["ignore_contigs"]),
        ]
    )


# What comes as counts is verified, and joins where the counts of genotypes do.
CONTRIBUTIONS = {
    name for name, cohort in COHORTS.items() if cohort["kind"] == "contribution"
}
# Sharing people is found in genotypes, and cohorts that are known to share some are not added twice.
WITH_GENOTYPES = [
    name
    for name, cohort in COHORTS.items()
    if cohort["kind"] not in ("sites", "contribution")
]
LEFT_OUT = set(PLAN["left_out"])
OVERLAPPING = [name for name in WITH_GENOTYPES if name not in LEFT_OUT]
ADDED = {name: cohort for name, cohort in COHORTS.items() if name not in LEFT_OUT}


def sites_options(cohort, path):
    """What `afpanel ingest` is told of a file of published counts."""
    if COHORTS[cohort]["kind"] != "sites":
        return ""
    form = COHORTS[cohort]["sites"]
    named = [
        f"--{option} {quote(f'{key}={name}')}"
        for option, names in (("column", form["columns"]), ("raw", form["raw"]))
        for key, name in names.items()
    ]
    pvar = [f"--pvar {quote(name)}" for name in pvars_of(cohort, path)]
    return " ".join(["--sites", *named, *pvar])


def pvars_of(cohort, path):
    """The variants that a file of plink2 is read with."""
    pvars = COHORTS[cohort].get("sites", {}).get("pvar", {})
    return [pvars[path]] if path in pvars else []


GVCFS = {name for name, cohort in COHORTS.items() if cohort["kind"] == "gvcf"}


DROP = CONFIG["overlap"]["action"] == "drop"


def given_callable():
    """What cohorts give on the panel's build of where they could call; there are tracks among these."""
    return {
        name: cohort["callable"]
        for name, cohort in COHORTS.items()
        if cohort["callable"] is not None and name in OVERLAPPING and name not in LIFTED
    }


def overlap_options():
    """What `afpanel overlap` is told of the cohorts, and what it is to do."""
    chosen = CONFIG["overlap"]
    options = [f"--{key.replace('_', '-')} {chosen[key]}" for key in chosen]
    for name in OVERLAPPING:
        sheet = COHORTS[name]["samples"]
        options.append(f"--cohort {quote(f'{name}={RESULTS}/private/{name}')}")
        options.append(f"--samples {quote(f'{name}={sheet}')}")
    if DROP:
        options.append(
            f"--dropped {quote(f'{RESULTS}/private/{{cohort}}/dropped.txt')}"
        )
        options += [
            f"--callable {quote(f'{name}={path}')}"
            for name, path in given_callable().items()
        ]
    return " ".join(options)


# Releases are recorded, and each new one held against those that were.
LEDGER = CONFIG["disclosure"]["ledger"]
SETTLED = [f"{RESULTS}/private/settled.json"] if LEDGER else []
RECORDED = [f"{RESULTS}/private/recorded.json"] if LEDGER else []
REUSE = bool(LEDGER) and CONFIG["disclosure"]["small_changes"] == "reuse"


def release_options():
    """What a release is called."""
    return "--name {} --panel-version {}".format(
        quote(CONFIG["panel"]["name"]), quote(CONFIG["panel"]["version"])
    )


def settle_options():
    """What `afpanel settle` is told of the cohorts."""
    chosen = CONFIG["disclosure"]
    options = [f"--small-changes {chosen['small_changes']}", callable_options(ADDED)]
    for cohort, changed in sorted(chosen["declared_changes"].items()):
        said = f"{cohort}={changed['added']},{changed['removed']}"
        options.append(f"--declared {quote(said)}")
    if DROP:
        options += [
            f"--dropped {quote(f'{name}={RESULTS}/private/{name}/dropped.txt')}"
            for name in OVERLAPPING
        ]
    return " ".join(options)


def beside_options():
    """What `afpanel gate` is told of what else was published."""
    options = []
    for each in CONFIG["disclosure"]["external_releases"]:
        said = "{country}={path}".format(**each)
        options.append(f"--external-release {quote(said)}")
    if LEDGER:
        options.append(f"--ledger {quote(LEDGER)} --settled {quote(SETTLED[0])}")
        options.append(f"{release_options()} --build {BUILD}")
    return " ".join(options)


def risk_options():
    """What `afpanel risk` is told beside the policy; without a limit it reports alone."""
    given = {key: value for key, value in CONFIG["risk"].items() if value is not None}
    signed = given.pop("sign_off", {})
    given |= {f"signed-off-{key}": value for key, value in signed.items()}
    return " ".join(
        f"--{key.replace('_', '-')} {quote(str(value))}" for key, value in given.items()
    )


# What is known of the linkage of cohorts: from their genotypes, or from what they contribute.
LINKAGE = [
    f"{RESULTS}/private/{name}/{'received/' if name in CONTRIBUTIONS else ''}linkage.json"
    for name in sorted(ADDED)
    if name in OVERLAPPING or COHORTS[name].get("linkage")
]


LIFTED = {name for name, cohort in COHORTS.items() if cohort["lift"] is not None}


def lift_inputs(wildcards):
    """The files that a cohort on another build is lifted with."""
    lift = COHORTS[wildcards.cohort]["lift"]
    bed = COHORTS[wildcards.cohort]["callable"]
    return [path for path in (lift["chain"], lift["fasta"], bed) if path is not None]


def lift_options(wildcards, output):
    """How `afpanel harmonize` lifts a cohort on another build."""
    lift = COHORTS[wildcards.cohort]["lift"]
    bed = COHORTS[wildcards.cohort]["callable"]
    options = [f"--chain {quote(lift['chain'])}"]
    options += [f"--contig {quote(contig)}" for contig in CONTIGS]
    if lift["fasta"] is not None:
        options.append(f"--source-reference {quote(lift['fasta'])}")
        if Path(lift["fasta"]).parent != Path(lift["index"]):
            options.append(f"--source-reference-index {quote(lift['index'])}")
    if bed is not None:
        options.append(f"--callable {quote(bed)} --callable-out {quote(output.bed)}")
    return " ".join(options)


def release_files():
    """Files of the release, by the formats wanted."""
    by_format = {
        "vcf": [f"{RELEASE}/{NAME}.vcf.gz{end}" for end in ("", ".tbi", ".csi")],
        "parquet": [
            f"{RELEASE}/{NAME}.parquet/contig={contig}/part-0.parquet"
            for contig in CONTIGS
        ],
        "zarr": [f"{RELEASE}/{NAME}.zarr.zip"],
        "vcf-slim": [
            f"{RELEASE}/{NAME}.slim.vcf.gz{end}" for end in ("", ".tbi", ".csi")
        ],
        "bcf": [f"{RELEASE}/{NAME}.bcf{end}" for end in ("", ".csi")],
        # A folder: which files it has is known when it is written.
        "gdi": [f"{RELEASE}/{NAME}.gdi"],
    }
    files = [
        path for wanted in CONFIG["publish"]["formats"] for path in by_format[wanted]
    ]
    return [
        *files,
        *(
            f"{RELEASE}/{name}"
            for name in ("harmonization.tsv", "report.html", "manifest.json")
        ),
    ]


# The earlier release that the report compares with, by its manifest.
PREVIOUS = [
    f"{path}/manifest.json"
    for path in [CONFIG["report"]["previous"]]
    if path is not None
]
CHANGES = (
    {"changed_variants": "Changes", "changed_states": "Changes"} if PREVIOUS else {}
)
FIGURES = {
    "people": "Inputs",
    "harmonization": "Inputs",
    "rejected": "Inputs",
    "states": "Callability",
    "call_rate": "Callability",
    "sfs": "Variants",
    "kinds": "Variants",
    "ti_tv": "Variants",
    "indels": "Variants",
    "heterozygosity": "Populations",
    "fst": "Populations",
    "fst_populations": "Populations",
    "pca": "Populations",
    "discordance": "Agreement of cohorts",
    "worst_variants": "Agreement of cohorts",
    "masking": "Disclosure",
    "masking_cost": "Disclosure",
    "risk": "Disclosure",
    **CHANGES,
}


def figure_of(name, suffix):
    """A figure of the report, for Snakemake's own report too."""
    return report(
        f"{RESULTS}/panel/report/{name}.{suffix}",
        caption=f"../report/{name}.rst",
        category=FIGURES[name],
        labels={"figure": name, "as": {"svg": "drawing", "tsv": "table"}[suffix]},
    )


RELEASE_FILES = release_files()
DISCORDANCE = [
    f"{RESULTS}/panel/discordance/{name}.tsv"
    for name in ("variants", "cohorts", "regions", "quantiles")
]

# A file without an index is read once, front to back, for all its partitions; so is every file of a
# cohort that has such a one.
STREAMED = {
    name for (name, _), partition in PARTITIONS.items() if not partition["indexed"]
}
STREAMS = sorted(
    {(name, p["path"]) for (name, _), p in PARTITIONS.items() if name in STREAMED}
)


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


def counts_by_contig(cohort):
    """All counts of a cohort: contig and path of each store."""
    private = f"{RESULTS}/private/{cohort}"
    if cohort in CONTRIBUTIONS:
        return [
            (part["contig"], f"{private}/received/{part['path']}")
            for part in COHORTS[cohort]["counts"]
        ]
    return [
        (part["contig"], f"{private}/counts/{part['id']}.zarr.zip")
        for part in COHORTS[cohort]["partitions"]
    ]


def counts_of(wildcards):
    """All counts of a contig; of a cohort that has none, one other, which tells who is silent.

    What is lifted may come to any contig, so all of such a cohort's are looked at.
    """
    paths = []
    for name in ADDED:
        counts = counts_by_contig(name)
        of_contig = [
            path
            for contig, path in counts
            if name in LIFTED or contig == wildcards.contig
        ]
        paths += of_contig or [counts[0][1]]
    return paths


def list_of_all_counts():
    """Name a file that lists all counts of all cohorts, too many for a command line."""
    path = Path(RESULTS) / "private" / "counts.txt"
    text = "".join(f"{counts}\n" for counts in ALL_COUNTS)
    write_whole(path, text)
    return str(path)


ALL_COUNTS = [path for name in COHORTS for _, path in counts_by_contig(name)]
COUNTS_LIST = list_of_all_counts()


def harmonization_of(cohort):
    """The account of what became of a cohort's alleles."""
    folder = f"{cohort}/received" if cohort in CONTRIBUTIONS else cohort
    return f"{RESULTS}/private/{folder}/harmonization.json"


def verify_options():
    """What `afpanel verify` is told of who may sign."""
    options = [f"--signatures {CONFIG['signatures']}"]
    for key in ("allowed_signers", "revoked_keys"):
        if CONFIG[key] is not None:
            options.append(f"--{key.replace('_', '-')} {quote(CONFIG[key])}")
    return " ".join(options)


def callable_files(cohorts):
    """Where each of some cohorts could call variants, if it says so, on the panel's build."""
    return {
        name: (
            f"{RESULTS}/private/{name}/callable.bed"
            if name in LIFTED
            else c["callable"]
        )
        for name, c in cohorts.items()
        if c["callable"] is not None
    }


def callable_options(cohorts):
    """How `merge` and `discordance` are told of them."""
    files = callable_files(cohorts).items()
    return " ".join(f"--callable {quote(f'{name}={path}')}" for name, path in files)


def records_of(cohort):
    """How many records an index counts on each contig of which every partition is read."""
    counted = COHORTS[cohort]["contig_records"].items()
    return " ".join(f"--records {quote(f'{contig}={n}')}" for contig, n in counted)
