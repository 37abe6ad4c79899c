import { localKind, queueKind } from "../helpers/launcher-kinds.ts";
import { testPromises } from "./launcher-promises.ts";

testPromises(localKind);
testPromises(queueKind);
