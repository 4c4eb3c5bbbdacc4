/* How values look: durations, shares, phone numbers, names that may have been written by an enemy.
   Pure, no locale data of its own. */

/* 0:07, 12:34, 1:02:03; what has not begun yet is 0:00 (clocks differ a little). */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

export function share(value) {
  return `${Math.round(value * 100)}%`;
}

/* One visible line of text: controls, direction marks and endless names cannot break the page or imitate it. */
export function plain(text, longest = 80) {
  const clean = String(text ?? "")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  const letters = [...clean.slice(0, longest * 4)];
  return letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : clean;
}

/* Russian numbers in the grouping people read aloud; everything else as it came. */
export function phone(number) {
  const text = plain(number, 32);
  const match = /^(?:\+?7|8)(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(text);
  if (!match) return text;
  const lead = match[1] === "800" ? "8" : "+7";
  return `${lead} ${match[1]} ${match[2]}-${match[3]}-${match[4]}`;
}

export function initials(name) {
  const words = plain(name).split(" ").filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join("");
}
