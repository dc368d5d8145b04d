"""The files of an ejected app: `content_hash` is written into it as it is, the others from their templates."""
