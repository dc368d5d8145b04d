"""Which estimators are written by their own methods, and how."""

import sys
from typing import Any

from serinus.modelpack.convert.steps import (
    affine,
    bayes,
    boosting,
    calibration,
    centres,
    committees,
    composition,
    constants,
    curves,
    encoders,
    functions,
    imputers,
    kernels,
    linear,
    powers,
    targets,
    texts,
    thresholds,
)
from serinus.modelpack.convert.steps.translation import Methods


def methods() -> dict[type, Methods]:
    """By estimator class, of the installed scikit-learn and the imported imbalanced-learn."""
    from sklearn import calibration as calibrations
    from sklearn import (
        compose,
        ensemble,
        feature_selection,
        multiclass,
        multioutput,
        neural_network,
        pipeline,
        preprocessing,
        semi_supervised,
    )

    known: dict[type, Methods] = {
        pipeline.Pipeline: composition.pipelines(),
        pipeline.FeatureUnion: Methods(transform=composition.transform_union),
        compose.ColumnTransformer: Methods(transform=composition.transform_columns),
        compose.TransformedTargetRegressor: Methods(predict=functions.predict),
        preprocessing.FunctionTransformer: Methods(transform=functions.transform),
        semi_supervised.SelfTrainingClassifier: composition.standing_for(
            lambda model: getattr(model, "estimator_", None) or model.base_estimator_
        ),
        ensemble.VotingClassifier: Methods(
            committees.votes, predict=committees.vote_label, predict_proba=committees.vote_proba
        ),
        ensemble.VotingRegressor: Methods(committees.votes, predict=committees.vote_value),
        ensemble.StackingClassifier: Methods(
            committees.stack,
            *(committees.stacked(name) for name in ("predict", "predict_proba", "decision_function")),
        ),
        ensemble.StackingRegressor: Methods(committees.stack, committees.stacked("predict")),
        ensemble.AdaBoostClassifier: Methods(
            predict=linear.predict_side,
            predict_proba=committees.boost_proba,
            decision_function=committees.boost_decision,
        ),
        ensemble.BaggingClassifier: Methods(predict=linear.most_probable, predict_proba=committees.bag_proba),
        ensemble.BaggingRegressor: Methods(predict=committees.bag_value),
        multioutput.MultiOutputClassifier: Methods(
            predict=targets.predict_each, predict_proba=targets.probabilities_each
        ),
        multioutput.MultiOutputRegressor: Methods(predict=targets.predict_each),
        multioutput.ClassifierChain: Methods(predict=targets.chain, predict_proba=targets.chain_probabilities),
        multioutput.RegressorChain: Methods(predict=targets.chain),
        multiclass.OneVsRestClassifier: Methods(
            predict=targets.one_vs_rest_label,
            predict_proba=targets.one_vs_rest_proba,
            decision_function=targets.one_vs_rest_decision,
        ),
        neural_network.MLPClassifier: Methods(
            predict=targets.network_label, predict_proba=targets.network_probabilities, has_converter=True
        ),
        multiclass.OneVsOneClassifier: Methods(
            predict=targets.one_vs_one_label, decision_function=targets.one_vs_one_decision
        ),
        multiclass.OutputCodeClassifier: Methods(predict=targets.output_code_label),
        calibrations.CalibratedClassifierCV: Methods(
            predict=linear.most_probable, predict_proba=calibration.probabilities
        ),
    }
    known |= {kind: Methods(transform=composition.select_columns) for kind in _selectors(feature_selection)}
    known |= {kind: _refitted_selector() for kind in (feature_selection.RFE, feature_selection.RFECV)}
    known |= {kind: composition.standing_for(lambda search: search.best_estimator_) for kind in _searches()}
    known |= _transformers() | _kernel_machines() | _centres() | _constants()
    known |= _frozen() | _with_threshold() | _linear() | _boosting() | _xgboost() | _imbalanced()
    return known


def _selectors(module: Any) -> list[type]:
    names = (
        "SelectKBest",
        "SelectPercentile",
        "SelectFpr",
        "SelectFdr",
        "SelectFwe",
        "GenericUnivariateSelect",
        "VarianceThreshold",
        "SelectFromModel",
        "SequentialFeatureSelector",
    )
    return [getattr(module, name) for name in names]


def _refitted_selector() -> Methods:
    """RFE and RFECV also predict, by the estimator that they fitted last."""
    return Methods(
        composition.select_columns,
        *(composition.on_support(name) for name in ("predict", "predict_proba", "decision_function")),
    )


def _searches() -> list[type]:
    """scikit-learn's searches, those that a library defines on its base class too."""
    from sklearn.model_selection._search import BaseSearchCV

    known: list[type] = [BaseSearchCV]
    for kind in known:
        known += kind.__subclasses__()
    return known


def _frozen() -> dict[type, Methods]:
    """FrozenEstimator, since scikit-learn 1.6."""
    try:
        from sklearn.frozen import FrozenEstimator
    except ImportError:
        return {}
    return {FrozenEstimator: composition.standing_for(lambda frozen: frozen.estimator)}


def _with_threshold() -> dict[type, Methods]:
    """Since scikit-learn 1.5."""
    from sklearn import model_selection

    names = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")
    inner = composition.standing_for(thresholds.inside)
    own = Methods(inner.transform, thresholds.label, inner.predict_proba, inner.decision_function)
    return {getattr(model_selection, name): own for name in names if hasattr(model_selection, name)}


def _linear() -> dict[type, Methods]:
    from sklearn import linear_model, svm

    own = Methods(predict=linear.predict_side, decision_function=linear.decide, has_converter=True)
    decision = Methods(decision_function=linear.decide, has_converter=True)
    return {
        linear_model.RidgeClassifier: own,
        linear_model.RidgeClassifierCV: own,
        linear_model.Perceptron: own,
        linear_model.PassiveAggressiveClassifier: own,
        svm.LinearSVC: own,
        linear_model.SGDClassifier: decision,
        linear_model.LogisticRegression: decision,
        linear_model.LogisticRegressionCV: decision,
    }


def _boosting() -> dict[type, Methods]:
    """Calibration prefers the decisions of boosted trees to their probabilities."""
    from sklearn import discriminant_analysis, ensemble

    return {
        ensemble.GradientBoostingClassifier: Methods(decision_function=boosting.decide, has_converter=True),
        ensemble.HistGradientBoostingClassifier: Methods(
            predict=boosting.on_codes("predict"),
            predict_proba=boosting.on_codes("predict_proba"),
            decision_function=boosting.decide_on_codes,
        ),
        ensemble.HistGradientBoostingRegressor: Methods(predict=boosting.on_codes("predict")),
        discriminant_analysis.LinearDiscriminantAnalysis: Methods(
            transform=affine.discriminant, decision_function=linear.decide, has_converter=True
        ),
    }


def _transformers() -> dict[type, Methods]:
    from sklearn import (
        cluster,
        cross_decomposition,
        decomposition,
        ensemble,
        feature_extraction,
        impute,
        kernel_approximation,
        neighbors,
        neural_network,
        preprocessing,
        random_projection,
    )

    partial = (
        cross_decomposition.PLSRegression,
        cross_decomposition.PLSCanonical,
        cross_decomposition.CCA,
    )
    known = {kind: Methods(transform=affine.latent, predict=affine.latent_values) for kind in partial}
    text = feature_extraction.text
    known |= {
        text.CountVectorizer: Methods(transform=texts.count),
        text.TfidfVectorizer: Methods(transform=texts.count_and_weigh),
        text.TfidfTransformer: Methods(transform=texts.weigh),
        text.HashingVectorizer: Methods(transform=texts.hashed),
        cross_decomposition.PLSSVD: Methods(transform=affine.latent),
        decomposition.FactorAnalysis: Methods(transform=affine.factors),
        decomposition.FastICA: Methods(transform=affine.independent),
        decomposition.SparsePCA: Methods(transform=affine.sparse_components),
        decomposition.MiniBatchSparsePCA: Methods(transform=affine.sparse_components),
        decomposition.KernelPCA: Methods(transform=kernels.kernel_components),
        random_projection.GaussianRandomProjection: Methods(transform=affine.projection),
        random_projection.SparseRandomProjection: Methods(transform=affine.projection),
        neighbors.NeighborhoodComponentsAnalysis: Methods(transform=affine.projection),
        cluster.FeatureAgglomeration: Methods(transform=affine.pooled),
        neural_network.BernoulliRBM: Methods(transform=affine.hidden_units),
        kernel_approximation.RBFSampler: Methods(transform=affine.fourier),
        kernel_approximation.SkewedChi2Sampler: Methods(transform=affine.fourier),
        kernel_approximation.AdditiveChi2Sampler: Methods(transform=affine.additive_chi_squared),
        kernel_approximation.PolynomialCountSketch: Methods(transform=affine.count_sketch),
        kernel_approximation.Nystroem: Methods(transform=kernels.nystroem),
        impute.KNNImputer: Methods(transform=imputers.neighbours),
        impute.MissingIndicator: Methods(transform=imputers.indicate),
        ensemble.RandomTreesEmbedding: Methods(transform=encoders.leaves),
        preprocessing.Normalizer: Methods(transform=encoders.normalize),
        preprocessing.PowerTransformer: Methods(transform=powers.transform),
        preprocessing.Binarizer: Methods(transform=encoders.binarize),
        preprocessing.MaxAbsScaler: Methods(transform=encoders.scale_by_maximum),
        preprocessing.KBinsDiscretizer: Methods(transform=encoders.bins),
        preprocessing.QuantileTransformer: Methods(transform=curves.quantiles),
        preprocessing.SplineTransformer: Methods(transform=encoders.splines),
        preprocessing.TargetEncoder: Methods(transform=encoders.target_means),
    }
    iterative = sys.modules.get("sklearn.impute._iterative")
    if iterative is not None:
        known[iterative.IterativeImputer] = Methods(transform=imputers.iterative)
    return known


def _kernel_machines() -> dict[type, Methods]:
    from sklearn import kernel_ridge, semi_supervised, svm

    classifier = Methods(
        predict=kernels.support_label, decision_function=kernels.support_decision, has_converter=True
    )
    propagation = Methods(predict=linear.most_probable, predict_proba=kernels.propagated)
    return {
        svm.SVC: classifier,
        svm.NuSVC: classifier,
        svm.SVR: Methods(predict=kernels.support_value),
        svm.NuSVR: Methods(predict=kernels.support_value),
        svm.OneClassSVM: Methods(predict=kernels.one_class_label, decision_function=kernels.support_value),
        kernel_ridge.KernelRidge: Methods(predict=kernels.kernel_ridge),
        semi_supervised.LabelPropagation: propagation,
        semi_supervised.LabelSpreading: propagation,
    }


def _centres() -> dict[type, Methods]:
    from sklearn import cluster, naive_bayes, neighbors

    means = Methods(transform=centres.to_clusters, has_converter=True)
    return {
        cluster.KMeans: means,
        cluster.MiniBatchKMeans: means,
        cluster.BisectingKMeans: Methods(centres.to_clusters, centres.bisected_label),
        cluster.Birch: Methods(centres.to_subclusters, centres.subcluster_label),
        cluster.MeanShift: Methods(predict=centres.cluster_label),
        cluster.AffinityPropagation: Methods(predict=centres.cluster_label),
        naive_bayes.CategoricalNB: Methods(predict=bayes.label, predict_proba=bayes.probabilities),
        neighbors.KNeighborsClassifier: Methods(
            predict=targets.neighbours_label, predict_proba=targets.neighbours_probabilities, has_converter=True
        ),
        neighbors.NearestCentroid: Methods(
            predict=centres.centroid_label,
            predict_proba=centres.centroid_proba,
            decision_function=centres.centroid_scores,
        ),
    }


def _constants() -> dict[type, Methods]:
    from sklearn import dummy, isotonic

    return {
        dummy.DummyClassifier: Methods(predict=constants.dummy_label, predict_proba=constants.dummy_proba),
        dummy.DummyRegressor: Methods(predict=constants.dummy_value),
        isotonic.IsotonicRegression: Methods(predict=constants.isotonic_value),
    }


def _xgboost() -> dict[type, Methods]:
    """XGBoost's wrappers, where it is imported."""
    module = sys.modules.get("xgboost")
    if module is None:
        return {}
    predict = boosting.on_sparse("predict")
    classifier = Methods(predict=predict, predict_proba=boosting.on_sparse("predict_proba"))
    known = {getattr(module, name): classifier for name in ("XGBClassifier", "XGBRFClassifier")}
    return known | {
        getattr(module, name): Methods(predict=predict) for name in ("XGBRegressor", "XGBRFRegressor", "XGBRanker")
    }


def _imbalanced() -> dict[type, Methods]:
    """imbalanced-learn's pipeline: samplers do nothing when it predicts."""
    module = sys.modules.get("imblearn.pipeline")
    return {} if module is None else {module.Pipeline: composition.pipelines()}
