rootProject.name = "fileflow"

include(
    ":domain",
    ":bootstrap:bootstrap-web-api",
    ":bootstrap:bootstrap-scheduler-download",
    ":bootstrap:bootstrap-scheduler-pipeline",
)
