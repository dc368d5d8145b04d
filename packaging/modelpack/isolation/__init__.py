"""Models saved by other library versions than are installed, run and converted where their own versions are.

A pickle loaded by another release than saved it may predict something else without a word, and a comparison of
that with its own conversion would show nothing. So the versions are read from the file without running it
(`saved`), an environment that holds them is resolved (`wanted`, `environment`), and the model is loaded, asked and
converted there by a `worker`, which the rest of this room knows as one more `Source` (`remote`).
"""
