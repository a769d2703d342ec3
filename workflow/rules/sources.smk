# Contract: what stands in the folders of the run's real data sets, looked for once, before the DAG, by the names of files alone
# (RECORDINGS); and the functions by which the rules of data.smk name their inputs and parameters. No rule stands here.
from dataclasses import asdict

from himoe.data import sources


def source_root(dataset):
    """Folder of the source files: the user's, or a twin's."""
    if registry.is_twin(dataset):
        return f"results/{dataset}/source"
    info = facts.dataset_info(dataset)
    return str(sources.dataset_folder(Path(CONFIG.data_root), dataset, info))


def find_recordings(dataset):
    """The record of a real data set's files that the functions below ask."""
    info, edition = facts.dataset_info(dataset), CONFIG.edition(dataset)
    return sources.find(Path(source_root(dataset)), info, edition, CONFIG.download)


try:
    RECORDINGS = {d: find_recordings(d) for d in CONFIG.recordings}
except HimoeError as error:
    raise WorkflowError(str(error)) from None

# Credentials reach the one rule that needs them through the environment, and are asked for only then.
DOWNLOADS = [d for r in RECORDINGS.values() if r.awaited for d in r.downloads]
CREDENTIALS = sorted({name for d in DOWNLOADS for name in d.credentials})

if CREDENTIALS:

    envvars:
        *CREDENTIALS,



# Data sets that come as recordings, as a pattern; the planted ones are simulated as tokens.
RECORDED = "|".join(
    [re.escape(d) for d in CONFIG.datasets if not registry.is_planted(d)] or ["(?!)"]
)


def subject_files(dataset, suffix):
    """A file of each subject of a data set, as prepared."""
    return [f"results/{dataset}/subjects/{s}.{suffix}" for s in subjects(dataset)]


def simulation_rule(dataset):
    """Name of the rule that simulates a planted data set."""
    return re.sub(r"\W", "_", f"simulate_{dataset}")


def named_subject(wildcards):
    """The subject of a job, in a list; empty for a job on the whole data set."""
    return [wildcards.subject] if "subject" in wildcards.keys() else []


def source_files(wildcards):
    """What a data set, or one subject of it, is read from: a twin's mark, or the files that are there or to be downloaded."""
    if registry.is_twin(wildcards.dataset):
        return [f"results/{wildcards.dataset}/twin.json"]
    files = RECORDINGS[wildcards.dataset].files(*named_subject(wildcards))
    return [str(path) for path in files]


def stamps_of(wildcards):
    """Sizes and times of change of the source files; a twin's are known by its mark."""
    if registry.is_twin(wildcards.dataset):
        return []
    return RECORDINGS[wildcards.dataset].stamps(*named_subject(wildcards))


def is_packed(wildcards):
    """Whether recordings stand in archives, in a download to come, or in one file for all: take_in unpacks them first."""
    recordings = RECORDINGS.get(wildcards.dataset)
    if recordings and recordings.is_packed:
        return True
    return "unpack" in registry.peek("datasets", wildcards.dataset)["functions"]


def recordings_of(wildcards):
    """What one subject is read from. Not the manifest where files stand by themselves, not even as ancient(): another subject's
    files would touch it, and below a job that runs Snakemake asks no further."""
    if is_packed(wildcards):
        folder = f"results/{wildcards.dataset}"
        return [f"{folder}/manifest.json", f"{folder}/unpacked"]
    return source_files(wildcards)


def root_of(wildcards):
    return source_root(wildcards.dataset)


def edition_of(wildcards):
    recordings = RECORDINGS.get(wildcards.dataset)
    return recordings.edition.name if recordings else CONFIG.edition(wildcards.dataset)


def size_of(wildcards):
    return asdict(CONFIG.size(wildcards.dataset))


def reading_of(wildcards):
    return CONFIG.reading_options(wildcards.dataset)


def features_of(wildcards):
    return CONFIG.feature_options(wildcards.dataset)


def lag_of(wildcards):
    return CONFIG.annotator_lag.get(wildcards.dataset, 0.0)


def targets_of(wildcards):
    return CONFIG.targets_of(wildcards.dataset)


def facts_of(wildcards):
    """What tokens depend on of a data set's facts; a reworded caveat prepares no subject again."""
    return hash_value(repr(facts.dataset_info(wildcards.dataset).without_words()))


def all_facts_of(wildcards):
    """What the data card prints of a data set's facts."""
    return hash_value(repr(facts.dataset_info(wildcards.dataset)))


def simulator_code(wildcards):
    return plugin_code("datasets", wildcards.dataset, "himoe.data.twins")


def intake_code(wildcards):
    return plugin_code("datasets", wildcards.dataset, "himoe.data.intake")


def reader_code(wildcards):
    return plugin_code(
        "datasets", wildcards.dataset, "himoe.data.recordings", "himoe.data.intake"
    )
