plugins {
    id("org.springframework.boot") version "3.5.0" apply false
}

subprojects {
    apply(plugin = "java")
    group = "fileflow"
    version = "1.0.0"
}
