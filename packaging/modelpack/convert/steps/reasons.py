"""Why estimators that cannot be written are refused, by class name: one sentence each."""

_ITERATES = "it solves an optimization problem for each row, which no ONNX operator does"
_NO_NEW_ROWS = "it has no function of a row alone: it embeds the rows of training"

REASONS = {
    "NMF": _ITERATES,
    "MiniBatchNMF": _ITERATES,
    "LatentDirichletAllocation": _ITERATES,
    "DictionaryLearning": _ITERATES,
    "MiniBatchDictionaryLearning": _ITERATES,
    "SparseCoder": _ITERATES,
    "Isomap": "it searches shortest paths between the rows of training",
    "LocallyLinearEmbedding": "it solves a system of equations for each row",
    "TSNE": _NO_NEW_ROWS,
    "MDS": _NO_NEW_ROWS,
    "SpectralEmbedding": _NO_NEW_ROWS,
    "FeatureHasher": "its rows are dictionaries, and a request's are columns; use OneHotEncoder",
    "DictVectorizer": "its rows are dictionaries, and a request's are columns; use OneHotEncoder",
    "RadiusNeighborsClassifier": "it refuses rows without a neighbour; use KNeighborsClassifier",
    "RadiusNeighborsTransformer": "its output has one column for each row of training",
    "RadiusNeighborsRegressor": "it has no value for rows without a neighbour; use KNeighborsRegressor",
}
