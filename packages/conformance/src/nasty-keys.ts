/**
 * Keys that mean something to some backend, runtime, pattern language or file system, and must mean only themselves
 * here. All different, all valid.
 */
export const NASTY_KEYS: readonly string[] = [
  // Separators and escapes of paths, scopes, patterns and queries.
  ..."\0 : / % * ? [ ] { } \\ ~ $ # @ & = + | ^ ! , ; . .. ' \" ` < > ( ) _ -".split(" "),
  "a:b", "a::b", ":a", "a:", "a/b", "/a", "a/", "a%b", "a_b", "a*", "a?", "[ab]", "{ab}:1", "a\\b", "~0", "~1", "%25", "%00",
  "../../etc/passwd", "C:\\nul", "'; DROP TABLE kv; --", "$where", "_key", "\\u0000", "a\\0b",
  // Blanks and control characters.
  " ", "  ", " a", "a ", "\t", "\n", "\r\n", "a\0", "\0a", "a\0b", "\0\0", "\x01", "\x1f", "\x7f", "\x80",
  // What looks like something else.
  "0", "-0", "00", "1", "01", "1.0", "1e3", "1000", "NaN", "null", "undefined", "true", "[object Object]",
  "__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "length",
  // Same to the eye, to a collation or to a case fold, and yet different.
  "é", "e\u0301", "É", "Å", "\u212b", "A\u030a", "ß", "ss", "SS", "İ", "i", "I", "ı", "a", "A", "ﬁ", "fi", "\u200b", "a\u200b", "\ufeffa", "\u202ea",
  // The ends of the planes, where UTF-16 order and UTF-8 order part.
  "\ud7ff", "\ue000", "\uffff", "\ufffd", "\u{10000}", "\u{1f600}", "\u{10ffff}", "👩‍👩‍👧", "a\uffff", "a\u{10000}", "日本語", "עברית",
];
