# Contract: the functions by which rules name their inputs and parameters, in the order of the rule files. No rule stands here.
from dataclasses import asdict


def any_of(datasets):
    """A pattern of these names."""
    return "|".join(map(re.escape, datasets)) or "(?!)"


# Data sets that come as recordings, and their variants; the planted ones are simulated as tokens.
RECORDED = any_of(d for d in CONFIG.prepared if not registry.is_planted(d))
VARIANTS = any_of(filter(registry.is_variant, CONFIG.datasets))
# Credentials reach the one rule that needs them through the environment, and are asked for only then.
CREDENTIALS = sorted({name for d in SOURCES.awaited for name in d.credentials})

if CREDENTIALS:

    envvars:
        *CREDENTIALS,


def ask(answer, *names):
    """A function of these wildcards; those that a job does not have are left out: ``ask(CONFIG.targets_of, "dataset")``."""

    def value(wildcards):
        return answer(*(wildcards[n] for n in names if n in wildcards.keys()))

    return value


def subject_files(suffix):
    """A function that names a file of each subject of a data set, as prepared."""

    def files(dataset):
        return [f"results/{dataset}/subjects/{s}.{suffix}" for s in subjects(dataset)]

    return files


def recordings_of(wildcards):
    """A subject's cleaned recordings, from which its data set and the variants of it are prepared."""
    whole = registry.recorded_as(wildcards.dataset)
    return f"results/{whole}/subjects/{wildcards.subject}.safetensors"


def manifest_of(wildcards):
    """What was taken in of a data set, or of the one that a variant is of."""
    return f"results/{registry.recorded_as(wildcards.dataset)}/manifest.json"


def every_subject(suffix):
    return ask(subject_files(suffix), "dataset")


def size_of(wildcards):
    return asdict(CONFIG.size(wildcards.dataset))


def code_of_dataset(script):
    """Fingerprint of a script and of the data set's plug-in that it runs."""

    def code(dataset):
        return dataset_code(script, dataset)

    return ask(code, "dataset")


def simulation_rule(dataset):
    """Name of the rule that simulates a planted data set."""
    return re.sub(r"\W", "_", f"simulate_{dataset}")


def spec_of(wildcards):
    """What a fit is: one record (himoe/config/spec.py)."""
    names = (wildcards.dataset, wildcards.protocol, wildcards.model)
    return section(
        CONFIG.fit_spec(*names, seed=int(wildcards.seed), shard=int(wildcards.shard))
    )


def samples_of(wildcards):
    """Cleaned recordings, for a model that reads samples."""
    raw = registry.peek("models", wildcards.model).get("RAW")
    whole = registry.recorded_as(wildcards.dataset)
    return subject_files("safetensors")(whole) if raw else []


def gpus_of(wildcards):
    """GPUs that a scheduler is asked for: one for a network, none where the config wants the CPU. On one machine nobody asks."""
    network = registry.is_network(wildcards.model)
    return int(network and CONFIG.execution.device != "cpu")


def code_of_prediction(wildcards):
    names = (wildcards.dataset, wildcards.protocol, wildcards.model)
    return predict_code(wildcards.model, CONFIG.conditions_of(*names))


def scales_of(wildcards):
    """Ends of the ratings of the data set that was fitted, and of the one that is tested on."""
    both = wildcards.dataset, wildcards.other
    return [facts.dataset_info(name).target_range for name in both]


def code_across(wildcards):
    return predict_code(wildcards.model, script="predict_across")


def of_fits(name, models=None):
    """A function that names a file of every fit of a data set under a protocol, or of those of some models."""

    def files(wildcards):
        return fits(f"{FIT}/{name}", [wildcards.dataset], [wildcards.protocol], models)

    return files


def of_settings(pattern):
    """A file of every data set under every protocol."""
    return expand(pattern, dataset=CONFIG.datasets, protocol=CONFIG.protocols)


def entry_of(wildcards):
    """The figure or table that a job makes."""
    if "table" in wildcards.keys():
        return Entry("tables", wildcards.table)
    return Entry("figures", wildcards.figure, wildcards.get("condition", ""))


def evidence_of(wildcards):
    return {need: EVIDENCE[need] for need in entry_of(wildcards).needs}


def labels_of(wildcards):
    return entry_of(wildcards).labels(CONFIG)


def page_code(wildcards):
    return code_and_words("himoe.report.page")


def entry(attribute):
    """An attribute of a job's figure or table."""

    def value(wildcards):
        return getattr(entry_of(wildcards), attribute)

    return value
