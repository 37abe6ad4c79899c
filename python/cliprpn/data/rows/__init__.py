"""Reads users' annotation files, with one row per sentence.

A row of a table (JSON Lines, JSON, CSV, Parquet) has these fields, under these names or those of `--columns`:

    image      file name of the image, relative to the image folder; in Parquet also the image itself
    sentence   the referring expression, or a list of them
    box        four numbers in the source's format, also as text, as an object whose names say their order, or in four
               columns; a list of boxes for an expression with several targets, an empty one for none
    split      train, val, test, testA or testB, or another name of one of these; if no row has one, images are split
               80/10/10
    width, height                       of the image, in pixels; optional
    category                            of the object; optional
    image_id, ann_id, ref_id, sent_id   integers or names; optional, replaced by consecutive numbers if they are text,
                                        some are missing, or they contradict the file names and boxes

Other columns are ignored. `fields.py` finds the fields, `row.py` checks them. The files of other formats, such as
COCO's JSON (`coco.py`) and TransVG's index files (`transvg.py`), are converted to such rows.
"""
