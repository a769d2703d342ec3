# Contract: settings of a planted data set -> its results/{dataset}/subjects/{subject}.npz and .json, manifest.json and
# truth.json, in one job: what data.smk makes of recordings, without recordings.
for _dataset in filter(registry.is_planted, CONFIG.datasets):

    rule:
        name:
            "simulate_" + re.sub(r"\W", "_", _dataset)
        output:
            tokens=expand(
                "results/{dataset}/subjects/{subject}.npz",
                dataset=_dataset,
                subject=subjects(_dataset),
            ),
            quality=expand(
                "results/{dataset}/subjects/{subject}.json",
                dataset=_dataset,
                subject=subjects(_dataset),
            ),
            manifest=f"results/{_dataset}/manifest.json",
            truth=f"results/{_dataset}/truth.json",
        log:
            f"results/{_dataset}/logs/simulate_tokens.log",
        conda:
            "../../envs/himoe.yaml"
        params:
            dataset=_dataset,
            settings=section(CONFIG.planted_of(_dataset), "models", "conditions"),
            code=plugin_code("datasets", _dataset, "himoe.data.simulate"),
            versions=versions(),
        script:
            "../scripts/simulate_tokens.py"
