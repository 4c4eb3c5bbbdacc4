/* Every page of the billing area: a choice that narrows a list sends itself, and the tab one is on is in sight.
   Without this script a button sends the choice. */
for (const choice of document.querySelectorAll("select[data-send]")) choice.addEventListener("change", () => choice.form.requestSubmit());

const tabs = document.querySelector(".money-tabs");
const here = tabs?.querySelector("[aria-current]");
if (here) tabs.scrollLeft = here.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
