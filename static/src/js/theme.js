// The theme switch: system -> light -> dark. The choice lies in a cookie, so that the server writes data-theme into the
// page and nothing flashes on the next load.
const ORDER = ["system", "light", "dark"];
const WORDS = { system: "same as the device", light: "light", dark: "dark" };
const YEAR_S = 31536000;

const now = () => document.documentElement.dataset.theme || "system";

const show = () => {
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.dataset.now = now();
    button.setAttribute("aria-label", `Colours: ${WORDS[now()]}. Change`);
    button.title = `Colours: ${WORDS[now()]}`;
  }
};

const remember = (theme) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme === "system" ? 0 : YEAR_S;
  document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
};

const choose = (theme) => {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember(theme);
  show();
  document.dispatchEvent(new CustomEvent("theme:changed"));
};

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-theme-switch]")) return;
  choose(ORDER[(ORDER.indexOf(now()) + 1) % ORDER.length]);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
  document.dispatchEvent(new CustomEvent("theme:changed")),
);
show();
