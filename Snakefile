# Hi-MoE (arXiv 2508.02133): from raw recordings to results/report.html.
from snakemake.utils import min_version

min_version("9.0")

# One config file is one whole run: what it leaves out has the default of himoe/config/, never of another file.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "report/captions/run.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report.html",
        "results/results.json",
        "results/scores.csv",
        rules.render_report.input.records,  # one that was deleted is made again
        rules.render_report.input.files,
