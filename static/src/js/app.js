// The one script of every page: htmx for fragments, Alpine (CSP build) for small state, and the house's own parts.
// Pages work without it; it only makes them pleasant.
import htmx from "htmx.org";
import Alpine from "@alpinejs/csp";
import { amount, copy } from "./components.js";
import "./behaviours.js";
import "./theme.js";

window.htmx = htmx;

Alpine.data("amount", amount);
Alpine.data("copy", copy);
Alpine.start();
