// Starts the page of all rows, which asks the server that sent it.

await showRows(await servedRows(document.getElementById("rows").dataset.source));
