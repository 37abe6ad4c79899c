import type { Portrait } from "./portrait.ts";

/** BibTeX of what a work on this data set should cite; empty where nobody has published it. */
export function citations({ kind, stats }: Portrait): string {
  const { split_by } = stats.facts;
  if (kind === "refcocog") return [mao, ...(split_by === "umd" ? [nagaraja] : []), lin].join("\n\n");
  if (kind === "refcoco" || kind === "refcoco+") return [yu, kazemzadeh, lin].join("\n\n");
  return stats.num_coco_train2014 > 0 ? lin : "";
}

const mao = `@inproceedings{mao2016refcocog,
  title = {Generation and Comprehension of Unambiguous Object Descriptions},
  author = {Mao, Junhua and Huang, Jonathan and Toshev, Alexander and Camburu, Oana and Yuille, Alan and Murphy, Kevin},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2016}
}`;

const nagaraja = `@inproceedings{nagaraja2016umd,
  title = {Modeling Context Between Objects for Referring Expression Understanding},
  author = {Nagaraja, Varun K. and Morariu, Vlad I. and Davis, Larry S.},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2016}
}`;

const yu = `@inproceedings{yu2016refcoco,
  title = {Modeling Context in Referring Expressions},
  author = {Yu, Licheng and Poirson, Patrick and Yang, Shan and Berg, Alexander C. and Berg, Tamara L.},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2016}
}`;

const kazemzadeh = `@inproceedings{kazemzadeh2014referitgame,
  title = {{ReferItGame}: Referring to Objects in Photographs of Natural Scenes},
  author = {Kazemzadeh, Sahar and Ordonez, Vicente and Matten, Mark and Berg, Tamara},
  booktitle = {Conference on Empirical Methods in Natural Language Processing (EMNLP)},
  year = {2014}
}`;

const lin = `@inproceedings{lin2014coco,
  title = {Microsoft {COCO}: Common Objects in Context},
  author = {Lin, Tsung-Yi and Maire, Michael and Belongie, Serge and Hays, James and Perona, Pietro and Ramanan, Deva and Doll{\\'a}r, Piotr and Zitnick, C. Lawrence},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2014}
}`;
