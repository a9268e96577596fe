// Signing on the screen: what is drawn becomes the file of the form's own field, as if it had been chosen there.
// Without this script, or without a pointer, the field takes a picture.
for (const box of document.querySelectorAll("[data-sign]")) {
  const field = document.getElementById(box.dataset.sign);
  const paper = box.querySelector("canvas");
  const state = box.querySelector("[data-sign-state]");
  if (field) sign(box, field, paper, state);
}

function sign(box, field, paper, state) {
  const pen = paper.getContext("2d");
  let drawing = false;

  const clear = () => {
    pen.fillStyle = "white";
    pen.fillRect(0, 0, paper.width, paper.height);
    pen.strokeStyle = "black";
    pen.lineWidth = 4;
    pen.lineCap = pen.lineJoin = "round";
  };
  const at = (event) => {
    const edge = paper.getBoundingClientRect();
    return [((event.clientX - edge.left) * paper.width) / edge.width, ((event.clientY - edge.top) * paper.height) / edge.height];
  };
  const keep = () =>
    paper.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "signature.png", { type: "image/png" }));
      field.files = files.files;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      state.textContent = "Signed. Save, or clear it and sign again.";
    }, "image/png");

  paper.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    drawing = true;
    paper.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  paper.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    pen.lineTo(...at(event));
    pen.stroke();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, () => {
      if (drawing) keep();
      drawing = false;
    });
  }
  box.querySelector("[data-sign-clear]").addEventListener("click", () => {
    clear();
    field.value = "";
    state.textContent = "Nothing is signed. You can also send a picture below.";
  });

  clear();
  box.hidden = false;
}
