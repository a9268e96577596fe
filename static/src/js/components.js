// Alpine components, named in templates by x-data="…".

const GROUPED = new Intl.NumberFormat("en-IN", { maximumFractionDigits: 2 });

/** Quick chips beside an amount: each button carries data-amount. */
export const amount = () => ({
  value: "",
  init() {
    this.read();
  },
  get field() {
    return this.$root.querySelector("input");
  },
  read() {
    this.value = this.field.value;
  },
  pick(event) {
    this.field.value = event.currentTarget.dataset.amount;
    this.read();
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
    this.field.focus();
  },
  /** The amount as people read it, below the field: ₹1,50,000. */
  get words() {
    const number = Number(this.value.replaceAll(",", "").trim());
    return number > 0 && Number.isFinite(number) ? `₹${GROUPED.format(number)}` : "";
  },
});

/** Copies data-copy of the element and says so for two seconds. */
export const copy = () => ({
  done: false,
  get label() {
    return this.done ? "Copied" : "Copy";
  },
  async run() {
    await navigator.clipboard.writeText(this.$root.dataset.copy);
    this.done = true;
    setTimeout(() => (this.done = false), 2000);
  },
});
