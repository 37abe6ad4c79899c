"""Reads users' annotation files, with one row per sentence.

A row of JSON Lines or CSV (with a header row) has these columns; the first four may have other names:

    image      file name of the image, relative to the image folder
    sentence   the referring expression
    box        four numbers: xywh or xyxy in pixels, or cxcywh_norm in normalized coordinates; in CSV as
               "[1, 2, 3, 4]" or "1,2,3,4" in quotes
    split      train, val, test, testA or testB; if no row has one, images are split 80/10/10
    width, height                       of the image, in pixels; optional
    category                            of the object; optional
    image_id, ann_id, ref_id, sent_id   integers; optional, replaced by consecutive numbers if some are missing or
                                        contradict the file names and boxes

Other columns are ignored. COCO's and MDETR's JSON (`coco.py`) and TransVG's index files (`transvg.py`) are converted
to such rows.
"""

from cliprpn.data.rows.read import read_rows

__all__ = ["read_rows"]
