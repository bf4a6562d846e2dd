// Files that import each other in a loop (type imports counted): Tarjan's strongly connected components.

/** @typedef {import('./arrows.mjs').Arrow} Arrow */

/** @param {Arrow[]} arrows @returns {string[][]} each loop as the files on it, in import order where it is simple */
export function cyclesAmong(arrows) {
  /** @type {Map<string, Set<string>>} */
  const graph = new Map();
  for (const { from, to } of arrows) {
    if (to === undefined) continue;
    graph.set(from, (graph.get(from) ?? new Set()).add(to));
  }
  return components(graph)
    .filter((files) => files.length > 1 || graph.get(files[0] ?? '')?.has(files[0] ?? ''))
    .map((files) => shortestLoop(graph, files));
}

/** @param {Map<string, Set<string>>} graph @returns {string[][]} */
function components(graph) {
  /** @type {Map<string, {index: number, low: number, open: boolean}>} */
  const seen = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const found = [];
  /** @param {string} file */
  const visit = (file) => {
    const mine = { index: seen.size, low: seen.size, open: true };
    seen.set(file, mine);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      const other = seen.get(next);
      if (!other) mine.low = Math.min(mine.low, visit(next).low);
      else if (other.open) mine.low = Math.min(mine.low, other.index);
    }
    if (mine.low === mine.index) {
      const component = stack.splice(stack.indexOf(file));
      for (const member of component) /** @type {{open: boolean}} */ (seen.get(member)).open = false;
      found.push(component);
    }
    return mine;
  };
  for (const file of graph.keys()) if (!seen.has(file)) visit(file);
  return found;
}

/** The shortest way from the first file (by name) of a component back to itself. @param {Map<string, Set<string>>} graph @param {string[]} files */
function shortestLoop(graph, files) {
  const inside = new Set(files);
  const start = /** @type {string} */ ([...files].sort()[0]);
  /** @type {string[][]} */
  const queue = [[start]];
  const visited = new Set();
  for (const path of queue) {
    for (const next of graph.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return path;
      if (!inside.has(next) || visited.has(next)) continue;
      visited.add(next);
      queue.push([...path, next]);
    }
  }
  return files;
}
