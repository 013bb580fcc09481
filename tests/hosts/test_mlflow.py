import numpy as np
import pytest

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.filterwarnings("ignore:::mlflow"),  # of its own code and that of its database
]


@pytest.fixture(autouse=True)
def tracking(tmp_path):
    """A database of its own for each test."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("hosts", f"file://{tmp_path}/files"))


def test_a_logged_network_is_loaded_with_its_answers_and_curve(code_of):
    import mlflow

    names = code_of("MLflow")
    expected = names["network"].predict(names["X"])
    assert np.array_equal(names["loaded"].predict(names["X"]), expected)
    served = mlflow.pyfunc.load_model(names["logged"].model_uri)
    assert np.array_equal(served.predict(names["X"]), expected)
    assert served.metadata.signature.inputs.inputs[0].shape == (-1, 10, 2)

    run = mlflow.last_active_run()
    assert run.data.params["units"] == "8"
    logged = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [metric.value for metric in logged] == pytest.approx(list(names["network"].loss_curve_))


def test_without_trusted_types_nothing_is_logged(code_of):
    import mlflow

    names = code_of("MLflow")
    with mlflow.start_run(), pytest.raises(mlflow.MlflowException, match="set the 'skops_trusted_types' parameter"):
        mlflow.sklearn.log_model(names["network"], name="model", serialization_format="skops")


def test_autolog_records_pipelines_only(code_of):
    import mlflow
    from sklearn.pipeline import make_pipeline

    names = code_of("MLflow")
    mlflow.sklearn.autolog(log_models=False)
    try:
        before = len(mlflow.search_runs())
        names["network"].fit(names["X"], names["y"])
        assert len(mlflow.search_runs()) == before
        make_pipeline(names["network"]).fit(names["X"], names["y"])
        assert len(mlflow.search_runs()) == before + 1
    finally:
        mlflow.sklearn.autolog(disable=True)
    assert mlflow.last_active_run().data.params["gruregressor__units"] == "8"


def test_a_forecaster_is_logged_and_loaded(code_of):
    import mlflow

    from sklrnn.forecasting import GRUForecaster

    names = code_of("MLflow")
    forecaster = GRUForecaster(units=4, max_epochs=2, random_state=0).fit(names["passengers"], fh=[1, 2, 3])
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(
            forecaster, name="forecaster", pip_requirements=[], skops_trusted_types=names["trusted_types"]()
        )
    assert mlflow.sklearn.load_model(logged.model_uri).predict().equals(forecaster.predict())
