// Where code is: a file below the folder that all files of the pipeline share.
import type { Source } from "./document";
import { doc } from "./state";

const files = [...doc.datasets, ...doc.flows].flatMap((each) => (each.source ? [each.source.file] : []));
const shared = files.reduce((left, file) => {
  while (!file.startsWith(left)) left = left.slice(0, left.lastIndexOf("/", left.length - 2) + 1);
  return left;
}, files[0]?.slice(0, files[0].lastIndexOf("/") + 1) ?? "");
const above = shared.lastIndexOf("/", shared.length - 2) + 1; // the shared folder's name is shown

export const placeOf = ({ file, line }: Source): string => `${file.slice(above)}:${line}`;
