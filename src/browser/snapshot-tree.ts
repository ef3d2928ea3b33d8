import { fairShare } from '../model/fair-share.js';
import {
  partsOf,
  printedLine,
  readable,
  roleAndName,
  type SnapshotLine,
  type SnapshotView,
} from './snapshot.js';

/** A line with its children; meaningless wrappers are merged into their parents. */
export interface SnapshotNode {
  line: SnapshotLine;
  /** The line as the agent sees it. */
  printed: string;
  /** The text of the line, without a name that repeats the lines below. */
  text: string;
  parent: SnapshotNode | undefined;
  children: SnapshotNode[];
  /** Equal for subtrees with the same texts, if both trees share a `Contents`. */
  content: number;
  /** The run of similar siblings, if this one is not printed. */
  run: Run | undefined;
}

/** Similar siblings, of which only the first ones and the last one are printed. */
interface Run {
  leftOut: number;
  kind: string;
}

interface RawNode {
  line: SnapshotLine;
  children: RawNode[];
}

/** From how many similar siblings on some are left out, and how many of the first ones are printed. */
const longestRun = 12;
const firstOfRun = 8;
/** Size of a line that counts what was left out, and minimum size for a part of a subtree. */
const markerBytes = 32;
const smallPart = 400;

/** Numbers the contents of subtrees, so that comparing two takes constant time. */
export class Contents {
  readonly #numbers = new Map<string, number>();

  numberOf(line: SnapshotLine, children: readonly SnapshotNode[]): number {
    const key = `${line.text}\n${children.map(({ content }) => content).join(' ')}`;
    const known = this.#numbers.get(key) ?? this.#numbers.size;
    this.#numbers.set(key, known);
    return known;
  }
}

/** Condenses a view to what an agent needs. `brief` also drops lines inside a control that only repeat its name. */
export function treeOf(
  view: SnapshotView,
  { contents = new Contents(), brief = true }: { contents?: Contents; brief?: boolean } = {},
): SnapshotNode[] {
  const roots: RawNode[] = [];
  const open: RawNode[] = [];
  for (const line of view) {
    open.length = Math.min(open.length, line.depth);
    const node = { line, children: [] };
    (open.at(-1)?.children ?? roots).push(node);
    open.push(node);
  }
  return condensedAll(roots, { contents, brief, comparing: { left: maxComparing } });
}

interface Condensing {
  contents: Contents;
  brief: boolean;
  /** How many more lines may be compared with the names of their ancestors. */
  comparing: { left: number };
}

/** Initial number of those: each line once, unless rows are nested. */
const maxComparing = 20_000;

function condensedAll(siblings: readonly RawNode[], condensing: Condensing): SnapshotNode[] {
  const condensed = siblings.map((each) => condense(each, condensing));
  markRuns(condensed);
  return condensed.flat();
}

function condense({ line, children: raw }: RawNode, condensing: Condensing): SnapshotNode[] {
  const { role = '', name } = roleAndName(line);
  // Beside its name, a link's URL and a placeholder that repeats it add nothing.
  const isNoise = ({ text }: SnapshotLine): boolean =>
    text.startsWith('/url:') || text === `/placeholder: ${name}`;
  const below = raw.filter((child) => name === undefined || !isNoise(child.line));
  const isSaid =
    condensing.brief &&
    name !== undefined &&
    controls.has(role) &&
    repeatsOnly(below, new Set(wordsOf(name)));
  const children = isSaid ? [] : condensedAll(below, condensing);
  const isClickable = children.length === 0 && line.raw.includes(' [cursor=');
  const isWrapper = wrappers.has(role) && /^[a-z]+:?(?: "\s*")?$/.test(readable(line.text));
  if (isWrapper && !isClickable) return children;
  const [only, ...others] = children;
  const isRepeated = only !== undefined && others.length === 0 && roleAndName(only.line).name === name;
  if (role === 'generic' && name !== undefined && isRepeated) return children;
  const hasName =
    name === undefined || !namedByContent.has(role) || !repeats(name, children, condensing.comparing);
  const node: SnapshotNode = {
    line,
    printed: printedLine(line, { hasChildren: children.length > 0, hasName }),
    text: hasName ? line.text : line.text.replace(/ "(?:[^"\\]|\\.)*"/, ''),
    parent: undefined,
    children,
    content: condensing.contents.numberOf(line, children),
    run: undefined,
  };
  for (const child of children) child.parent = node;
  return [node];
}

/** Roles that mean nothing without a name or text. */
const wrappers = new Set(['generic', 'rowgroup', 'text']);

/** Roles that are named by their content, which the lines below repeat. */
const namedByContent = new Set(['row', 'cell', 'gridcell']);

/** Roles whose name contains all of the content. */
const controls = new Set('button link tab menuitem option checkbox radio switch heading'.split(' '));
/** Roles of descendants that only contribute to a name. */
const plain = new Set(['generic', 'text', 'img']);

/** Whether lines contain only known words. */
function repeatsOnly(nodes: readonly RawNode[], known: ReadonlySet<string>): boolean {
  return nodes.every(({ line, children }) => {
    const { role = '', name: own = '', text = '' } = partsOf(line);
    const isKnown = wordsOf(`${own} ${text}`).every((word) => known.has(word));
    return plain.has(role) && isKnown && repeatsOnly(children, known);
  });
}

const wordsByLine = new WeakMap<SnapshotLine, readonly string[]>();

/** Whether the lines below contain all words of a name, in this order. */
function repeats(
  name: string,
  children: readonly SnapshotNode[],
  comparing: Condensing['comparing'],
): boolean {
  const words = wordsOf(name);
  let found = 0;
  const isRepeated = (nodes: readonly SnapshotNode[]): boolean =>
    nodes.some(({ line, children: below }) => {
      if (found === words.length || comparing.left-- <= 0) return true;
      const own = wordsByLine.get(line) ?? wordsOf(line.text);
      wordsByLine.set(line, own);
      for (const word of own) if (word === words[found]) found++;
      return isRepeated(below);
    });
  isRepeated(children);
  return found === words.length;
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Marks what to leave out of long runs of similar siblings; a merged wrapper counts as one of them. */
function markRuns(siblings: readonly SnapshotNode[][]): void {
  const shapes = siblings.map((nodes) => nodes.map(({ line }) => roleOf(line)).join(' '));
  for (let start = 0, end = 0; start < siblings.length; start = end) {
    while (end < siblings.length && shapes[end] === shapes[start]) end++;
    const kind = shapes[start] ?? '';
    if (end - start <= longestRun || kind === '') continue;
    const run = { leftOut: end - start - firstOfRun - 1, kind: kind.includes(' ') ? 'like these' : kind };
    for (const nodes of siblings.slice(start + firstOfRun, end - 1))
      for (const node of nodes) node.run ??= run;
  }
}

function roleOf({ text }: SnapshotLine): string {
  return /^[a-z]+/.exec(text)?.[0] ?? '';
}

/** All nodes, parents first. */
export function allNodes(nodes: readonly SnapshotNode[]): SnapshotNode[] {
  const all: SnapshotNode[] = [];
  const collect = (siblings: readonly SnapshotNode[]): void => {
    for (const node of siblings) {
      all.push(node);
      collect(node.children);
    }
  };
  collect(nodes);
  return all;
}

/** Options for printing a tree. */
interface Printing {
  /** Maximum size, including lines that count what was left out. */
  maxBytes: number;
  /** Indentation of the first level. */
  depth?: number;
  /** Whether to print a node; others are omitted with their descendants. */
  include?: (node: SnapshotNode) => boolean;
  /** Whether long runs of similar siblings are printed in full. */
  whole?: boolean;
}

interface Size {
  bytes: number;
  lines: number;
}

/** Prints a tree; counts what does not fit in place, and cuts large parts before small ones. */
export function printTree(nodes: readonly SnapshotNode[], printing: Printing): string[] {
  const lines: string[] = [];
  const { maxBytes, depth = 0 } = printing;
  printSiblings(nodes, { ...printing, depth, lines, sizes: new Map() }, maxBytes);
  return lines;
}

interface Print extends Printing {
  depth: number;
  lines: string[];
  sizes: Map<SnapshotNode, Size>;
}

function printSiblings(nodes: readonly SnapshotNode[], print: Print, budget: number): void {
  const { lines, depth, include = () => true } = print;
  const siblings = nodes.filter(include);
  const sizes = siblings.map((node) => sizeOf(node, print, depth).bytes);
  const marker = markerBytes + 2 * depth;
  const fits = fairShare(sizes, budget) === Infinity;
  const share = fits ? Infinity : fairShare(sizes, budget - marker);
  let left = fits ? budget : budget - marker;
  let missing = 0;
  let previous: Run | undefined;
  const flush = (): void => {
    if (missing > 0) lines.push(`${'  '.repeat(depth)}- … ${missing} more lines`);
    missing = 0;
  };
  for (const node of siblings) {
    const { children } = node;
    const run = print.whole === true ? undefined : node.run;
    const size = sizeOf(node, print, depth);
    const own = ownBytes(node, depth);
    if (run !== undefined) {
      if (run !== previous) lines.push(`${'  '.repeat(depth)}- … ${run.leftOut} more ${run.kind}`);
    } else if (Math.min(size.bytes, own + marker) > left) missing += size.lines;
    else {
      flush();
      lines.push('  '.repeat(depth) + node.printed);
      const given = Math.min(size.bytes, left, Math.max(share, own + smallPart));
      printSiblings(children, { ...print, depth: depth + 1 }, given - own);
      left -= given;
    }
    previous = run;
  }
  flush();
}

/** The size of a node with its descendants. */
function sizeOf(node: SnapshotNode, print: Print, depth: number): Size {
  const known = print.sizes.get(node);
  if (known !== undefined) return known;
  const { include = () => true } = print;
  const below = node.children.filter(include).map((child) => sizeOf(child, print, depth + 1));
  const sum = (part: keyof Size): number => below.reduce((total, size) => total + size[part], 0);
  const bytes = node.run === undefined || print.whole === true ? ownBytes(node, depth) + sum('bytes') : 0;
  const size = { bytes, lines: 1 + sum('lines') };
  print.sizes.set(node, size);
  return size;
}

function ownBytes({ printed }: SnapshotNode, depth: number): number {
  return Buffer.byteLength(printed) + 2 * depth + 1;
}
