# Contract: the functions by which rules name their inputs and parameters; no rule stands here and no file is read.
# FIT is the folder of one shard's fit.
FIT = "results/{dataset}/{protocol}/{model}/seed-{seed}/shard-{shard}"


def every_subject(suffix):
    def files(wildcards):
        return [
            f"results/{wildcards.dataset}/subjects/{s}.{suffix}"
            for s in subjects(wildcards.dataset)
        ]

    return files


def options_of(wildcards):
    reference = registry.peek("models", wildcards.model).get("REFERENCE")
    return {
        "own": CONFIG.options(wildcards.model),
        "reference": CONFIG.options(reference) if reference else {},
    }


def view_of(wildcards):
    """What of the tokens a model is given; see himoe/views.py."""
    windows = PROTOCOLS[wildcards.protocol].windows
    return {
        "modality": facts.modality_of(wildcards.model, wildcards.dataset),
        "samples": facts.samples_of(wildcards.model, wildcards.dataset),
        "window": CONFIG.splits.window_seconds if windows else 0.0,
        "control": registry.control_of(wildcards.model),
    }


def samples_of(wildcards):
    """Cleaned recordings, for a model that reads samples."""
    raw = registry.peek("models", wildcards.model).get("RAW")
    return every_subject("safetensors")(wildcards) if raw else []


def splits_of(wildcards):
    """What of the settings of splits a protocol depends on."""
    windows = PROTOCOLS[wildcards.protocol].windows
    return section(CONFIG.splits, *([] if windows else ["window_seconds"]))


def conditions_of(wildcards):
    return CONFIG.conditions_of(wildcards.dataset, wildcards.protocol)


def training_of(wildcards):
    """An estimator is not fitted again because a setting of networks changed; another pace or curves beside it are no other fit."""
    if "build" in registry.peek("models", wildcards.model)["functions"]:
        settings = section(CONFIG.training, "checkpoint_seconds", "tensorboard")
        return settings | {"crop_seconds": crop_of(wildcards)}
    return CONFIG.training.model_dump(include={"refit", "folds_per_job", "threads"})


def gpus_of(wildcards):
    """GPUs that a scheduler is asked for: one for a network, none where the config wants the CPU. A run on one machine takes no notice."""
    network = "build" in registry.peek("models", wildcards.model)["functions"]
    return int(network and CONFIG.training.device != "cpu")


def predicting_of(wildcards):
    """What of the trainer's settings a prediction depends on."""
    if "build" not in registry.peek("models", wildcards.model)["functions"]:
        return CONFIG.training.model_dump(include={"folds_per_job", "threads"})
    how = {"device", "precision", "tf32", "threads", "folds_per_job"}
    names = how | {"crop_seconds", "readout", "readout_penalty"}
    return CONFIG.training.model_dump(include=names) | {
        "crop_seconds": crop_of(wildcards)
    }


def crop_of(wildcards):
    """Length of crops: no longer than what there is, for what lies past a trial's end is computed for nothing."""
    there = [CONFIG.training.crop_seconds, view_of(wildcards)["window"]]
    return min(filter(None, [*there, CONFIG.size(wildcards.dataset).seconds]))


def fit_code(wildcards):
    codes = [plugin_code("models", wildcards.model, "himoe.train.shard")]
    if reference := registry.peek("models", wildcards.model).get("REFERENCE"):
        codes.append(plugin_code("models", reference))
    if control := registry.control_of(wildcards.model):
        codes.append(plugin_code("controls", control))
    return codes


def predict_code(wildcards):
    conditions = [f"himoe.conditions.{name}" for name in CONFIG.conditions]
    return [*fit_code(wildcards), fingerprint("himoe.evaluate.predict", *conditions)]


def predictions_of(wildcards):
    return fits(f"{FIT}/predictions.parquet", [wildcards.dataset], [wildcards.protocol])


def records_of(wildcards):
    return fits(f"{FIT}/run.json", [wildcards.dataset], [wildcards.protocol])


def weights_of(wildcards):
    return fits(f"{FIT}/weights.safetensors", [wildcards.dataset], [wildcards.protocol])


def audit_code(wildcards):
    """The audit spoils data as the controls do."""
    return [
        fingerprint("himoe.evaluate.audit"),
        *(plugin_code("controls", name) for name in CONFIG.controls),
    ]


def controls_of(wildcards):
    return [
        f for f in predictions_of(wildcards) if registry.control_of(f.split("/")[3])
    ]
