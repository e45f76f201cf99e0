// Owns: TypeScript source as a flat list of tokens, enough to find imports and names in use.
// Must not know: which imports or names are allowed (layers.ts, check-layers.ts).
// Invariant: text inside comments, strings, templates and regular expressions never appears as a word.

export interface Token {
  readonly kind: "word" | "string" | "punctuation";
  /** For a string, its content between the quotes. */
  readonly text: string;
  /** 1-based. */
  readonly line: number;
}

const BLANK = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /"((?:[^"\\\n]|\\[\s\S])*)"|'((?:[^'\\\n]|\\[\s\S])*)'/y;
const WORD = /[#\p{ID_Start}$_][\p{ID_Continue}$]*|\d[\w.]*/uy;
const TEMPLATE_CHUNK = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
const REGEX = /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const PUNCTUATION = /\.\.\.|\?\.|=>|[\s\S]/y;

// After these words a slash starts a regular expression; after any other word it divides.
const WORDS_BEFORE_EXPRESSION = new Set("return typeof case in of void throw else do yield".split(" "));

/** The tokens of `source`; comments, template text and regular expressions are left out. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  // Depths of braces at which a template's `${` waits for its `}`.
  const openTemplates: number[] = [];
  let braces = 0;
  let at = 0;
  let line = 1;

  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found === null) return null;
    at = pattern.lastIndex;
    for (const character of found[0]) if (character === "\n") line++;
    return found;
  };
  const push = (kind: Token["kind"], text: string, startLine: number): void => {
    tokens.push({ kind, text, line: startLine });
  };
  const skipTemplateText = (): void => {
    match(TEMPLATE_CHUNK);
    if (source[at] === "$") openTemplates.push(braces);
    at += source[at] === "$" ? 2 : 1;
  };

  while (at < source.length) {
    const startLine = line;
    const character = source[at];
    if (match(BLANK) !== null) continue;
    const string = match(STRING);
    const word = string === null ? match(WORD) : null;
    if (string !== null) push("string", string[1] ?? string[2] ?? "", startLine);
    else if (word !== null) push("word", word[0], startLine);
    else if (character === "`" || (character === "}" && openTemplates.at(-1) === braces)) {
      if (character === "}") openTemplates.pop();
      at++;
      skipTemplateText();
      push("string", "", startLine);
    } else if (character === "/" && startsExpression(tokens.at(-1)) && match(REGEX) !== null) {
      push("string", "", startLine);
    } else {
      const text = match(PUNCTUATION)?.[0] ?? "";
      if (text === "{") braces++;
      if (text === "}") braces--;
      push("punctuation", text, startLine);
    }
  }
  return tokens;
}

function startsExpression(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === "punctuation") return !/[)\]}]/.test(previous.text);
  return previous.kind === "word" && WORDS_BEFORE_EXPRESSION.has(previous.text);
}

export interface ImportSite {
  readonly specifier: string;
  readonly line: number;
  /**
   * `type`: erased before it runs. `value`: evaluated before this module (`import { type A }` too: only `import type`
   * is erased as a whole). `lazy`: `import()`.
   */
  readonly kind: "type" | "value" | "lazy";
}

/** Every `import`, `import()` and `export … from` of a module. */
export function findImports(tokens: readonly Token[]): ImportSite[] {
  const sites: ImportSite[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.kind !== "word" || isProperty(tokens, index)) continue;
    if (token.text !== "import" && token.text !== "export") continue;
    const next = tokens[index + 1];
    if (token.text === "import" && next?.text === "(") {
      const argument = tokens[index + 2];
      if (argument?.kind === "string") sites.push({ specifier: argument.text, line: token.line, kind: "lazy" });
      continue;
    }
    const isType = next?.kind === "word" && next.text === "type";
    const specifier = findSpecifier(tokens, isType ? index + 2 : index + 1, token.text);
    if (specifier !== undefined) sites.push({ specifier, line: token.line, kind: isType ? "type" : "value" });
  }
  return sites;
}

// Walks the clause between the keyword and its module name. An export that is not a re-export ends the walk at the first
// token that cannot be part of such a clause.
function findSpecifier(tokens: readonly Token[], from: number, keyword: string): string | undefined {
  const first = tokens[from];
  if (keyword === "import" && first?.kind === "string") return first.text;
  if (keyword === "export" && first?.text !== "*" && first?.text !== "{") return undefined;
  for (let index = from; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.kind === "string") return tokens[index - 1]?.text === "from" ? token.text : undefined;
    if (token?.kind === "punctuation" && !/^[{},*]$/.test(token.text)) return undefined;
    if (token?.text === "}" && tokens[index + 1]?.text !== "from") return undefined;
  }
  return undefined;
}

/** True for `b` in `a.b` and `a?.b`. */
export function isProperty(tokens: readonly Token[], index: number): boolean {
  const previous = tokens[index - 1];
  return previous?.kind === "punctuation" && (previous.text === "." || previous.text === "?.");
}
