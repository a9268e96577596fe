// The tokens as the canvas wants them: resolved colours, in the theme of the element.
const NAMES = ["ink", "ink-2", "ink-3", "line", "surface", "accent", "gain", "loss", ...Array.from({ length: 8 }, (_, i) => `series-${i + 1}`)];

export function colours(element) {
  const found = {};
  for (const name of NAMES) {
    // A new element each time: a changed colour would be in transition, and read as the old one (reduced motion has
    // transitions of a millisecond on everything).
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    element.append(probe);
    found[name] = getComputedStyle(probe).color;
    probe.remove();
  }
  return { ...found, series: NAMES.filter((n) => n.startsWith("series-")).map((n) => found[n]) };
}

/** The colour with another opacity: "rgb(1, 2, 3)" -> "rgba(1, 2, 3, 0.1)". */
export const faded = (colour, opacity) => colour.replace(/^rgba?\(([^,]+,[^,]+,[^,)]+).*$/, `rgba($1, ${opacity})`);
