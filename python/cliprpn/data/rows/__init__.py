"""People's own data: files with a row per sentence.

A row of JSON Lines or CSV (with a header row) has these columns; the first four may have other names:

    image      name of the image's file, below the folder of images
    sentence   the referring expression
    box        four numbers: xywh or xyxy in pixels, or cxcywh_norm in shares of the image; in CSV as
               "[1, 2, 3, 4]" or "1,2,3,4" in quotes
    split      train, val, test, testA or testB; in no row: images are split 80/10/10
    width, height                       of the image, in pixels; optional
    category                            of the object; optional
    image_id, ann_id, ref_id, sent_id   whole numbers; optional, counted where they are missing or
                                        contradict the file names and boxes

Other columns are ignored. COCO's JSON (`coco.py`), MDETR's (`mdetr.py`) and TransVG's index files
(`transvg.py`) become such rows.
"""

from cliprpn.data.rows.read import read_rows

__all__ = ["read_rows"]
