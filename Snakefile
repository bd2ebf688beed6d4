# The whole workflow is in workflow/Snakefile; this makes it the one that runs from here.
# Another project uses it in the same way, as a module with a configuration of its own.
if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


module panel:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from panel


onsuccess:
    shell("cat '{config[results]}/private/summary.txt'")
