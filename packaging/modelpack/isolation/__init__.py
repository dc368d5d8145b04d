"""Models saved by other library versions than the installed ones, run and converted by their own versions.

A pickle loaded by a release other than the one that saved it may predict something else without any warning, and
comparing it with its own conversion would not show that. So `saved_versions` reads the versions from the file
without running it, `environment_spec` and `environment` resolve an environment with them, and a `worker` there
loads the model, predicts and converts. The rest of this room sees it as one more `Source` (`remote`).
"""
