// Where code is: the path of a file from the folder that all files of the pipeline share.
import type { Source } from "./document";
import { sharedFolders } from "./groups";
import { doc } from "./state";

const files = [...doc.datasets, ...doc.flows].flatMap((each) => (each.source ? [each.source.file] : []));
const left = Math.max(0, sharedFolders(files) - 1);

export const placeOf = ({ file, line }: Source): string => `${file.split("/").slice(left).join("/")}:${line}`;
