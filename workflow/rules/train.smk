# Contract: tokens + splits -> results/{dataset}/{protocol}/{model}/seed-{seed}/shard-{shard}/ with weights.safetensors and run.json.
# Training and inner-validation rows are read, and no others. What a fit is travels as one record (himoe/config/spec.py);
# how it is executed (config: execution) reaches the script through the config, for it refits nothing.
ESTIMATOR_CODE = ("himoe.train.estimators",)
NETWORK_CODE = (
    "himoe.nn",
    *(
        f"himoe.train.{name}"
        for name in ("build", "checkpoint", "devices", "networks", "stack", "windows")
    ),
)


def spec_of(wildcards):
    """What the fit is."""
    names = (wildcards.dataset, wildcards.protocol, wildcards.model)
    return section(
        CONFIG.fit_spec(*names, seed=int(wildcards.seed), shard=int(wildcards.shard))
    )


def samples_of(wildcards):
    """Cleaned recordings, for a model that reads samples."""
    raw = registry.peek("models", wildcards.model).get("RAW")
    return every_subject("safetensors")(wildcards) if raw else []


def gpus_of(wildcards):
    """GPUs that a scheduler is asked for: one for a network, none where the config wants the CPU. On one machine nobody asks."""
    network = registry.is_network(wildcards.model)
    return int(network and CONFIG.execution.device != "cpu")


def other_code(model):
    """What of the code is of the other kind of model: a change of a network refits no estimator, and the other way round."""
    return ESTIMATOR_CODE if registry.is_network(model) else NETWORK_CODE


def fit_code(wildcards):
    """The code behind a fit: the model's, the trainer's, that of the model whose size it matches, its control's."""
    model, without = wildcards.model, other_code(wildcards.model)
    codes = [plugin_code("models", model, "himoe.train.shard", without=without)]
    if reference := registry.peek("models", model).get("REFERENCE"):
        codes.append(plugin_code("models", reference))
    if control := registry.control_of(model):
        codes.append(plugin_code("controls", control))
    return codes


rule fit_model:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
        recordings=samples_of,
    output:
        weights=f"{FIT}/weights.safetensors",
        record=f"{FIT}/run.json",
    log:
        f"{FIT}/fit_model.log",
    conda:
        "../../envs/himoe.yaml"
    threads: CONFIG.execution.threads
    resources:
        gpu=gpus_of,
    params:
        spec=spec_of,
        code=fit_code,
        versions=versions("torch", "scikit-learn", "scipy"),
    script:
        "../scripts/fit_model.py"
