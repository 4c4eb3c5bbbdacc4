/* Lists of the billing area: a choice that narrows the list sends itself. Without this script a button does. */
for (const choice of document.querySelectorAll("select[data-send]")) choice.addEventListener("change", () => choice.form.requestSubmit());
