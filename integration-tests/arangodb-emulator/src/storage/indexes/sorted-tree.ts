// A B+ tree that never changes: `with` and `without` give a new tree that shares all nodes but the path they touched. A
// snapshot is therefore a reference, and a range costs its result.

const capacity = 32;

interface Leaf<K, V> {
  readonly keys: readonly K[];
  readonly values: readonly V[];
}

interface Branch<K, V> {
  /** The smallest key that each child held when it was made: every key of child `i` is >= `keys[i]`, of `i - 1` below. */
  readonly keys: readonly K[];
  readonly children: readonly Node<K, V>[];
}

type Node<K, V> = Leaf<K, V> | Branch<K, V>;

/** Where a key lies relative to a boundary: negative before it, otherwise at or after it. Ascends with the keys. */
export type Locate<K> = (key: K) => number;

const emptyLeaf: Leaf<never, never> = { keys: [], values: [] };

export class SortedTree<K, V> {
  readonly size: number;
  readonly #compare: (left: K, right: K) => number;
  readonly #root: Node<K, V>;

  private constructor(compare: (left: K, right: K) => number, root: Node<K, V>, size: number) {
    this.#compare = compare;
    this.#root = root;
    this.size = size;
  }

  static empty<K, V>(compare: (left: K, right: K) => number): SortedTree<K, V> {
    return new SortedTree<K, V>(compare, emptyLeaf, 0);
  }

  get(key: K): V | undefined {
    let node = this.#root;
    while ("children" in node) node = node.children[this.#childIndex(node, key)]!;
    const index = firstAtOrAfter(node.keys, (other) => this.#compare(other, key));
    return index < node.keys.length && this.#compare(node.keys[index]!, key) === 0
      ? node.values[index]
      : undefined;
  }

  with(key: K, value: V): SortedTree<K, V> {
    const { nodes, added } = this.#insert(this.#root, key, value);
    const root = nodes.length === 1 ? nodes[0]! : branchOf(nodes);
    return new SortedTree(this.#compare, root, this.size + (added ? 1 : 0));
  }

  without(key: K): SortedTree<K, V> {
    const node = this.#remove(this.#root, key);
    if (node === this.#root) return this;
    let root = node ?? emptyLeaf;
    while ("children" in root && root.children.length === 1) root = root.children[0]!;
    return new SortedTree(this.#compare, root, this.size - 1);
  }

  /** From the first key at or after the boundary on, ascending. */
  *from(locate: Locate<K> = () => 0): Generator<readonly [K, V], void> {
    yield* ascending(this.#root, locate);
  }

  /** From the last key before the boundary on, descending. */
  *before(locate: Locate<K> = () => -1): Generator<readonly [K, V], void> {
    yield* descending(this.#root, locate);
  }

  /** The first entry at or after the boundary. */
  first(locate: Locate<K> = () => 0): readonly [K, V] | undefined {
    const next = ascending(this.#root, locate).next();
    return next.done === true ? undefined : next.value;
  }

  #childIndex(node: Branch<K, V>, key: K): number {
    let low = 1;
    let high = node.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(node.keys[middle]!, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #insert(node: Node<K, V>, key: K, value: V): { nodes: Node<K, V>[]; added: boolean } {
    if ("children" in node) {
      const index = this.#childIndex(node, key);
      const bound = node.keys[index]!;
      const { nodes, added } = this.#insert(node.children[index]!, key, value);
      const isBelow = index === 0 && this.#compare(key, bound) < 0;
      const keys = isBelow ? node.keys.with(0, key) : node.keys;
      const [first, second] = nodes;
      if (second === undefined)
        return { nodes: [{ keys, children: node.children.with(index, first!) }], added };
      const children = node.children.toSpliced(index, 1, first!, second);
      return { nodes: splitBranch({ keys: keys.toSpliced(index + 1, 0, second.keys[0]!), children }), added };
    }
    const index = firstAtOrAfter(node.keys, (other) => this.#compare(other, key));
    const added = !(index < node.keys.length && this.#compare(node.keys[index]!, key) === 0);
    const removed = added ? 0 : 1;
    const leaf = {
      keys: node.keys.toSpliced(index, removed, key),
      values: node.values.toSpliced(index, removed, value),
    };
    return { nodes: splitLeaf(leaf), added };
  }

  /** The node without the key; itself where the key is not in it; undefined where nothing is left. */
  #remove(node: Node<K, V>, key: K): Node<K, V> | undefined {
    if ("children" in node) {
      const index = this.#childIndex(node, key);
      const child = node.children[index]!;
      const rest = this.#remove(child, key);
      if (rest === child) return node;
      if (rest !== undefined) return { keys: node.keys, children: node.children.with(index, rest) };
      if (node.children.length === 1) return undefined;
      return { keys: node.keys.toSpliced(index, 1), children: node.children.toSpliced(index, 1) };
    }
    const index = firstAtOrAfter(node.keys, (other) => this.#compare(other, key));
    if (index === node.keys.length || this.#compare(node.keys[index]!, key) !== 0) return node;
    if (node.keys.length === 1) return undefined;
    return { keys: node.keys.toSpliced(index, 1), values: node.values.toSpliced(index, 1) };
  }
}

/** The index of the first key at or after the boundary. */
function firstAtOrAfter<K>(keys: readonly K[], locate: Locate<K>): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (locate(keys[middle]!) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function branchOf<K, V>(children: readonly Node<K, V>[]): Branch<K, V> {
  return { keys: children.map((child) => child.keys[0]!), children };
}

function splitLeaf<K, V>(leaf: Leaf<K, V>): Node<K, V>[] {
  if (leaf.keys.length <= capacity) return [leaf];
  const middle = splitPoint(leaf.keys.length);
  return [
    { keys: leaf.keys.slice(0, middle), values: leaf.values.slice(0, middle) },
    { keys: leaf.keys.slice(middle), values: leaf.values.slice(middle) },
  ];
}

function splitBranch<K, V>(branch: Branch<K, V>): Node<K, V>[] {
  if (branch.children.length <= capacity) return [branch];
  const middle = splitPoint(branch.children.length);
  return [
    { keys: branch.keys.slice(0, middle), children: branch.children.slice(0, middle) },
    { keys: branch.keys.slice(middle), children: branch.children.slice(middle) },
  ];
}

function splitPoint(length: number): number {
  return length >>> 1;
}

function* ascending<K, V>(node: Node<K, V>, locate: Locate<K>): Generator<readonly [K, V], void> {
  if ("children" in node) {
    // The boundary may lie inside the child before the first one that begins at or after it.
    const start = Math.max(0, firstAtOrAfter(node.keys, locate) - 1);
    for (let index = start; index < node.children.length; index++) {
      yield* ascending(node.children[index]!, locate);
    }
    return;
  }
  for (let index = firstAtOrAfter(node.keys, locate); index < node.keys.length; index++) {
    yield [node.keys[index]!, node.values[index]!];
  }
}

function* descending<K, V>(node: Node<K, V>, locate: Locate<K>): Generator<readonly [K, V], void> {
  const end = firstAtOrAfter(node.keys, locate);
  if ("children" in node) {
    // Every key of a child is at or above the child's own bound, so children from `end` on lie behind the boundary.
    for (let index = end - 1; index >= 0; index--) yield* descending(node.children[index]!, locate);
    return;
  }
  for (let index = end - 1; index >= 0; index--) yield [node.keys[index]!, node.values[index]!];
}
