/**
 * The number of steps of all loops over arrays, maps and sets while a function runs: the same on a busy machine, unlike a time.
 * Counts each call of a callback (`map`, `find`, `sort`), each item of `for ... of` and of spreading, and the whole array for
 * `includes`, `slice` and other methods without a callback.
 */
export function countSteps(work: () => unknown): number {
  let steps = 0;
  const add = (number: number): void => {
    steps += number;
  };
  const restore = [
    ...withCallback.map((name) => replace(Array.prototype, name, (original) => countCalls(original, add))),
    ...wholeArray.map((name) => replace(Array.prototype, name, (original) => countLength(original, add))),
    ...iterators.map((prototype) => replace(prototype, "next", (original) => countEach(original, add))),
  ];
  try {
    work();
  } finally {
    for (const undo of restore) undo();
  }
  return steps;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

const withCallback = [
  ...["every", "filter", "find", "findIndex", "findLast", "flatMap", "forEach", "map", "reduce", "some"],
  ...["sort", "toSorted"],
];
const wholeArray = ["flat", "includes", "indexOf", "join", "reverse", "shift", "slice", "splice", "with"];
const iterators: object[] = [[].values(), new Map().values(), new Set().values()].map((iterator) =>
  Object.getPrototypeOf(iterator),
);

/** @returns a function that restores the method. */
function replace(prototype: object, name: string, wrap: (original: Method) => Method): () => void {
  const original: Method = Reflect.get(prototype, name);
  const set = (value: Method): boolean =>
    Reflect.defineProperty(prototype, name, { value, writable: true, configurable: true });
  set(wrap(original));
  return () => void set(original);
}

function countCalls(original: Method, add: (steps: number) => void): Method {
  return function (callback, ...rest) {
    if (typeof callback !== "function") return Reflect.apply(original, this, [callback, ...rest]);
    const counted: Method = function (...args) {
      add(1);
      return Reflect.apply(callback, this, args);
    };
    return Reflect.apply(original, this, [counted, ...rest]);
  };
}

function countLength(original: Method, add: (steps: number) => void): Method {
  return function (...args) {
    if (Array.isArray(this)) add(this.length);
    return Reflect.apply(original, this, args);
  };
}

function countEach(original: Method, add: (steps: number) => void): Method {
  return function () {
    add(1);
    return Reflect.apply(original, this, []);
  };
}
