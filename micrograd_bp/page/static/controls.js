// Buttons and keys, and the start of the page.

drawLines();
drawCards();
find("why").style.height = users.some((uses, i) => uses.length > 1 && i !== root) ? "13em" : "9.5em";
nodes.forEach((node, i) => node.op === null && addField(i));
const longest = Math.max(...fields.map(({ i }) => name(i).length));
find("fields").style.setProperty("--label", `${Math.min(longest + 1, 14)}ch`);
find("fields").style.setProperty("--number", `${graph.digits + 6}ch`);
for (const [id, to] of [["first", () => 0], ["back", () => step - 1], ["next", () => step + 1], ["last", () => last]]) {
  find(id).addEventListener("click", () => {
    pause();
    go(to());
  });
}
find("play").addEventListener("click", play);
find("reset").addEventListener("click", reset);
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { ArrowRight: step + 1, ArrowLeft: step - 1, Home: 0, End: last };
  if (event.key in keys) {
    pause();
    go(keys[event.key]);
    event.preventDefault();
  } else if (event.key === " " && !event.target.matches("button")) {
    play();
    event.preventDefault();
  }
});
paint();
