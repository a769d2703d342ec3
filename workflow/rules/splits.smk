# Contract: results/{dataset}/subjects/*.npz -> results/{dataset}/splits/{protocol}.csv (fold, part, subject, trial, stimulus, digest).
# The only place where folds are decided; disjointness is asserted here and again wherever a fold is used.
def splits_of(wildcards):
    """What of the settings of splits a protocol depends on."""
    windows = PROTOCOLS[wildcards.protocol].windows
    return section(CONFIG.splits, *([] if windows else ["window_seconds"]))


def window_of(wildcards):
    """Length of the windows that are dealt out in the place of trials, s; 0 where trials are."""
    windows = PROTOCOLS[wildcards.protocol].windows
    return CONFIG.splits.window_seconds if windows else 0.0


rule make_splits:
    input:
        manifest="results/{dataset}/manifest.json",
        tokens=every_subject("npz"),
    output:
        splits="results/{dataset}/splits/{protocol}.csv",
    log:
        "results/{dataset}/logs/make_splits_{protocol}.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        settings=splits_of,
        window=window_of,
        code=fingerprint("himoe.splits.make", "himoe.splits.guards", "himoe.data.views"),
    script:
        "../scripts/make_splits.py"
