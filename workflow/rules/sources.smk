# Contract: the functions by which the rules of data.smk name their inputs and parameters; no rule stands here and no file is
# read. SOURCES (common.smk) says what was found of each real data set before the DAG.
def source_files(wildcards):
    """What a data set, or one subject of it, is read from: a twin's mark, or the files that are there or to be fetched."""
    if registry.is_twin(wildcards.dataset):
        return f"results/{wildcards.dataset}/twin.json"
    return SOURCES[wildcards.dataset].files(wildcards.get("subject", "*"))


def stamps_of(wildcards):
    source = SOURCES.get(wildcards.dataset)
    return source.stamps(wildcards.get("subject", "*")) if source else []


def is_packed(dataset):
    """Whether recordings stand in archives, in a download to come, or in one file for all: take_in unpacks them first."""
    plugin = registry.peek("datasets", dataset)
    source = SOURCES.get(dataset)
    return "unpack" in plugin["functions"] or bool(
        source and (source.archives or source.downloads)
    )


def recordings_of(wildcards):
    """What one subject is read from. Not the manifest where files stand by themselves: another subject's would touch it."""
    if is_packed(wildcards.dataset):
        own = f"results/{wildcards.dataset}"
        return [f"{own}/manifest.json", f"{own}/unpacked"]
    return source_files(wildcards)


def folder_of(wildcards):
    """Folder of the recordings that stand by themselves; empty where the manifest tells."""
    if is_packed(wildcards.dataset):
        return ""
    source = SOURCES.get(wildcards.dataset)
    return str(source.folder) if source else source_root(wildcards.dataset)


def edition_of(wildcards):
    source = SOURCES.get(wildcards.dataset)
    return source.edition.name if source else CONFIG.edition(wildcards.dataset)


def reading_of(wildcards):
    return CONFIG.reading_options(wildcards.dataset)


def features_of(wildcards):
    return CONFIG.feature_options(wildcards.dataset)


def lag_of(wildcards):
    return CONFIG.annotator_lag.get(wildcards.dataset, 0.0)


def facts_of(wildcards):
    return hash_value(repr(facts.dataset_info(wildcards.dataset)))


def size_of(wildcards):
    size = CONFIG.size(wildcards.dataset)
    return {
        "subjects": size.subjects,
        "n_trials": size.n_trials,
        "seconds": size.seconds,
    }


def root_of(wildcards):
    return source_root(wildcards.dataset)


def targets_of(wildcards):
    return CONFIG.targets_of(wildcards.dataset)


def intake_code(wildcards):
    return plugin_code("datasets", wildcards.dataset, "himoe.data.intake")


def reader_code(wildcards):
    return plugin_code(
        "datasets", wildcards.dataset, "himoe.data.recordings", "himoe.data.intake"
    )


def simulator_code(wildcards):
    return plugin_code("datasets", wildcards.dataset)
