// What h2spec is built with: it has no module file of its own.
module volant.invalid/conformance/h2spec

go 1.18
