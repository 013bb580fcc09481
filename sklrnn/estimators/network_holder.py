"""What every estimator shares that holds a trained network in ``model_``, whatever the network predicts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, Self

from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklrnn.estimators.options import count_threads_of, shallow_copy, training_options
from sklrnn.estimators.shown_network import followed_by, pictures_of, show_summary, with_pictures
from sklrnn.nn.architecture import Architecture
from sklrnn.nn.summary import NetworkSummary
from sklrnn.saved_state import with_stamp, without_stamp
from sklrnn.training.batches import Batches
from sklrnn.training.interrupts import TrainingInterrupted, pass_on
from sklrnn.training.net import SequenceNet
from sklrnn.training.process import thread_limit
from sklrnn.training.sklearn_callbacks import CALLBACK_STATE
from sklrnn.training.trained_network import EpochHook, TrainedNetwork, train

_MODEL = "model_"


class NetworkHolder:
    """Trains a network in a copy of the estimator, so that a fit that fails changes nothing; saves it as plain values.

    Comes before scikit-learn's ``BaseEstimator`` in the bases. A subclass names the kind of its architecture, and makes
    the loss of its network.
    """

    model_: TrainedNetwork
    _architecture_kind: ClassVar[type[Architecture]]

    def _criterion(self) -> nn.Module:
        """The loss module of the network: one number a sample."""
        raise NotImplementedError

    # -- training ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _draft(self, *, continues: bool) -> Iterator[Self]:
        """Give a copy of this estimator to train; if the block succeeds, its attributes are taken over, the model last.

        With ``continues`` it has a copy of the network to train on: a prediction in another thread reads the weights
        from before or those from after, and a failure leaves them as they were. After Ctrl-C, what was learnt is taken
        over, then the interrupt goes on to the caller.
        """
        draft = shallow_copy(self)
        if continues:
            draft.model_ = self.model_.copy()
        with draft._threads():
            yield draft
        ours, trained = vars(self), vars(draft)
        interrupt = trained.pop("_interrupt", None)
        for name in ours.keys() - trained.keys() - CALLBACK_STATE:
            delattr(self, name)
        for name in sorted(trained, key=lambda name: name == _MODEL):
            setattr(self, name, trained[name])
        if interrupt is not None:
            pass_on(interrupt)

    def _train(
        self,
        network: nn.Module | None,
        batches: Batches,
        validation: Batches | None,
        *,
        seed: int,
        max_epochs: int,
        patience: int | Literal["auto"] | None,
        end_epoch: Callable[[], bool] | None = None,
        keep_optimizer: bool = False,
    ) -> None:
        """Train a network, or without one that of ``model_`` on; ``end_epoch`` is called after each epoch."""
        options = training_options(self, seed=seed, max_epochs=max_epochs, patience=patience)  # type: ignore[arg-type]
        on_epoch_end: EpochHook | None = None
        if end_epoch is not None:

            def on_epoch_end(model: TrainedNetwork) -> bool:
                self.model_ = model
                return end_epoch()

        how = self._criterion(), batches, validation, options
        try:
            if network is not None:
                self.model_ = train(network, *how, on_epoch_end=on_epoch_end)
            else:
                self.model_ = self.model_.continue_training(
                    *how, keep_optimizer=keep_optimizer, on_epoch_end=on_epoch_end
                )
        except TrainingInterrupted as interrupt:
            self.model_, self._interrupt = interrupt.trained, interrupt

    def _check_unchanged(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        """Training can only continue with the network that was built."""
        changed = [name for name, value in now.items() if value != before[name]]
        if changed:
            raise ValueError(
                "warm_start=True and partial_fit continue with the network of the previous fit, but "
                f"{', '.join(changed)} changed: {[before[name] for name in changed]} became "
                f"{[now[name] for name in changed]}. Set it back, or set warm_start=False and fit anew."
            )

    @contextmanager
    def _threads(self) -> Iterator[None]:
        with thread_limit(count_threads_of(self)):  # type: ignore[arg-type]
            yield

    # -- the trained network -----------------------------------------------------------------------------------------

    @property
    def net_(self) -> SequenceNet:
        """The skorch net."""
        return self.model_.net

    @property
    def module_(self) -> Any:
        """The fitted network: a ``torch.nn.Module``.

        It reads X in the user's units, (sample, time, feature), and answers in those of training: a regressor's y is
        standardised there (or on the scale of its loss or window), and a classifier gives the logits of its classes.
        `predict` turns these into the user's units and labels, and so does `sklrnn.export.to_onnx`.
        """
        return self.model_.module

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        return len(self.model_.curves.loss)

    @property
    def loss_curve_(self) -> list[float]:
        """Training loss of each epoch, penalties included."""
        return list(self.model_.curves.loss)

    @property
    def validation_curve_(self) -> list[float] | None:
        """Loss on what was held out after each epoch; None where nothing was."""
        curve = self.model_.curves.validation
        return None if curve is None else list(curve)

    @property
    def best_validation_loss_(self) -> float | None:
        """The lowest of `validation_curve_`; the weights are those of its epoch."""
        return self.model_.curves.best_validation

    @property
    def n_parameters_(self) -> int:
        """Trainable parameters of the network."""
        return self.model_.n_parameters

    def summary(self, *, show: bool = True) -> NetworkSummary | None:
        """Print the layers of the fitted network as a table: output shapes, weights, and numbers of parameters.

        Parameters
        ----------
        show : bool, default=True
            Print the table, in a notebook as HTML. With False it is returned: ``str`` of it is the text.

        Returns
        -------
        summary : NetworkSummary or None
            The table with ``show=False``, otherwise None.
        """
        self._check_network("summary")
        return show_summary(self._fitted_networks(), name=type(self).__name__, show=show)

    def _fitted_networks(self) -> list[Any]:
        """The network, none before ``fit``."""
        return [self.module_] if hasattr(self, _MODEL) else []

    def _check_network(self, method: str) -> None:
        """Raise the error of an estimator that is not fitted, for a ``method`` that needs the network."""
        check_is_fitted(self, _MODEL)

    def _repr_html_inner(self) -> str:
        html: str = super()._repr_html_inner()  # type: ignore[misc]
        return followed_by(html, self._pictures())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        shown: dict[str, str] = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in shown:
            shown["text/html"] = followed_by(shown["text/html"], self._pictures())
        return shown

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        # From scikit-learn 1.9 on, so that the diagrams of pipelines and searches show the pictures too.
        return with_pictures(super()._get_fitted_attr_html(doc_link), self._pictures())  # type: ignore[misc]

    def _pictures(self) -> str:
        return pictures_of(self._fitted_networks(), name=type(self).__name__)

    # -- saved state is plain values ---------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())  # type: ignore[call-overload]
        if _MODEL in state:
            state[_MODEL] = state[_MODEL].to_state(with_training=hasattr(self, "partial_fit"))
        return with_stamp(state, type(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = without_stamp(state, type(self))
        saved = state.pop(_MODEL, None)
        super().__setstate__(state)  # type: ignore[misc]
        if saved is not None:
            options = training_options(self, seed=saved["seed"], max_epochs=1, patience=None)  # type: ignore[arg-type]
            self.model_ = TrainedNetwork.from_state(saved, self._architecture_kind, self._criterion(), options)
