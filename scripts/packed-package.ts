// Finds what a user would miss in an installed package: links on its pages that lead nowhere, source maps that name
// sources which were not packed, and a manifest that does not name the package's repository.

import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

interface Manifest {
  readonly repository?: { readonly url?: string; readonly directory?: string };
}

/**
 * Every problem of an unpacked package, one line each.
 * @param folder the unpacked package
 * @param root this repository, in which absolute links to itself are looked up
 */
export function problemsOf(folder: string, root: string): string[] {
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const web = manifest.repository?.url?.replace(/^git\+/, "").replace(/\.git$/, "");
  return [
    ...manifestProblems(manifest, root),
    ...globSync("**/*.md", { cwd: folder }).flatMap((page) => pageProblems(folder, page, web, root)),
    ...globSync("**/*.{js,d.ts}", { cwd: folder }).flatMap((file) => mapProblems(folder, file)),
  ].sort();
}

function manifestProblems({ repository }: Manifest, root: string): string[] {
  if (repository?.url === undefined || repository.directory === undefined) {
    return [
      "package.json: repository must have url and directory, or the package's page cannot link to its sources",
    ];
  }
  return existsSync(join(root, repository.directory))
    ? []
    : [`package.json: repository.directory ${repository.directory} is not in the repository`];
}

function pageProblems(folder: string, page: string, web: string | undefined, root: string): string[] {
  return linksIn(readFileSync(join(folder, page), "utf8")).flatMap((link) => {
    const problem = linkProblem(folder, page, link, web, root);
    return problem === undefined ? [] : [`${page}: the link ${link} ${problem}`];
  });
}

/** Links and images of a Markdown page, including reference definitions and HTML, without those in code. */
function linksIn(text: string): string[] {
  const prose = text.replace(/^(```|~~~).*?^\1/gms, "").replace(/`[^`\n]*`/g, "");
  const patterns = [
    /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g,
    /^\[[^\]]+\]:\s*(\S+)/gm,
    /\b(?:href|src)="([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) => [...prose.matchAll(pattern)].map(([, target]) => target ?? ""));
}

/** Why a link leads nowhere; `undefined` if it leads somewhere, or out of the repository. */
function linkProblem(
  folder: string,
  page: string,
  link: string,
  web: string | undefined,
  root: string,
): string | undefined {
  if (web !== undefined && (link === web || link.startsWith(`${web}/`) || link.startsWith(`${web}#`))) {
    const [, path = ""] = /^\/(?:blob|tree)\/[^/]+\/([^#]*)/.exec(link.slice(web.length)) ?? [];
    return targetProblem(join(root, path), link.split("#", 2)[1], "the repository");
  }
  if (/^[a-z][a-z+.-]*:/i.test(link)) return URL.canParse(link) ? undefined : "is not a valid URL";
  const [path = "", anchor] = link.split("#", 2);
  const target = path === "" ? join(folder, page) : resolve(folder, dirname(page), decodeURIComponent(path));
  if (relative(folder, target).startsWith("..")) return "leaves the package; make it absolute";
  return targetProblem(target, anchor, "the package");
}

function targetProblem(target: string, anchor: string | undefined, where: string): string | undefined {
  if (!existsSync(target)) return `leads to a file that is not in ${where}`;
  if (anchor === undefined) return undefined;
  const page = statSync(target).isDirectory() ? join(target, "README.md") : target;
  // Line anchors of sources (#L12) are not checked.
  if (!page.endsWith(".md") || anchor === "readme") return undefined;
  return existsSync(page) && anchorsOf(readFileSync(page, "utf8")).has(anchor)
    ? undefined
    : "leads to a heading that does not exist";
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text
    .replace(/^(```|~~~).*?^\1/gms, "")
    .matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

function mapProblems(folder: string, file: string): string[] {
  const [, name] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(join(folder, file), "utf8")) ?? [];
  if (name === undefined || name.startsWith("data:")) return [];
  const path = join(dirname(file), name);
  if (!existsSync(join(folder, path))) return [`${file}: its source map ${name} is not in the package`];
  const { sources = [], sourceRoot = "" }: { sources?: string[]; sourceRoot?: string } = JSON.parse(
    readFileSync(join(folder, path), "utf8"),
  );
  return sources
    .map((source) => join(sourceRoot, source))
    .filter((source) => !existsSync(join(folder, dirname(path), source)))
    .map((source) => `${path}: its source ${source} is not in the package`);
}
