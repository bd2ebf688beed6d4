# The whole workflow is in workflow/Snakefile; this makes it the one that runs from here.
# Another project uses it in the same way, as a module with a configuration of its own.
import time
from pathlib import Path

STARTED = time.time()

# The demonstration's configuration, unless another is named with --configfile.
if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


module panel:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from panel


onsuccess:
    results = Path(config.get("results", "results"))
    summary = results / "private" / "summary.txt"
    made = [summary, *sorted(results.glob("contributions/*.afc.zip"))]
    for path in made:
        if path.is_file() and path.stat().st_mtime >= STARTED:
            print(path.read_text() if path == summary else f"Written: {path}")
