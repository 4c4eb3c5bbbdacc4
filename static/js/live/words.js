/* The page's language: texts come from the server's catalogue, plural forms by the language's own rules.
   A missing text shows its key, so that it is seen and mended. */
export function makeWords({ language, texts, timeZone }) {
  const plural = new Intl.PluralRules(language);
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
  const whole = new Intl.NumberFormat(language);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));

  function t(key, values = {}) {
    const text = texts[key];
    if (text === undefined) return key;
    if (typeof text === "string") return fill(text, values);
    const form = text[plural.select(values.n)] ?? text.other;
    return fill(form, { ...values, n: whole.format(values.n) });
  }

  return { t, language, time: (epoch) => clock.format(epoch * 1000), number: (n) => whole.format(n) };
}
