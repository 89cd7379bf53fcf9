/** Compares two strings in the server's language. */
export type Collation = (left: string, right: string) => number;

export interface Language {
  /** A locale in ICU's writing (`en_US`, `da`, `cs`) or `en_US_POSIX`. */
  readonly name: string;
  /**
   * "A" before "a", as the server does for `LANG` and `--default-language`; false for `--icu-language`, which takes the
   * locale as it is.
   */
  readonly upperFirst: boolean;
}

/**
 * ICU's order for a language, by the ICU that Node carries. It is what `<`, `SORT` and persistent indexes use.
 * @throws RangeError for a language that this Node has no data for: a fallback would order silently in another one.
 */
export function collationOf({ name, upperFirst }: Language): Collation {
  const tag = localeTag(name);
  if (Intl.Collator.supportedLocalesOf(tag).length === 0) {
    throw new RangeError(
      `No collation for the language "${name}" in this Node's ICU. Use en_US_POSIX, en_US, da, …`,
    );
  }
  const collator = new Intl.Collator(tag, upperFirst ? { caseFirst: "upper" } : {});
  return (left, right) => (left === right ? 0 : collator.compare(left, right));
}

function localeTag(name: string): string {
  const [language, ...rest] = (name.split(".")[0] ?? "").split(/[_-]/);
  if (language === "C" || language === "POSIX") return "en-US-u-va-posix";
  const region = rest.filter((part) => part !== "POSIX").join("-");
  const locale = region === "" ? `${language}` : `${language}-${region}`;
  return rest.includes("POSIX") ? `${locale}-u-va-posix` : locale;
}
