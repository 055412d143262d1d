# The image of one Spring Boot module of a Gradle multi-project, for Amazon ECS on x86-64 and ARM64.
#
#   docker build --file images/spring-boot.Dockerfile --build-arg MODULE=:bootstrap:bootstrap-web-api PROJECT
#
# Needs BuildKit, Spring Boot 3.3 or later, and the project's Gradle wrapper. docs/images.md says more.

# The base images, so that a mirror can take the registry's place. Pin them by digest where it matters.
ARG BUILD_IMAGE=eclipse-temurin:21-jdk
ARG RUNTIME_IMAGE=eclipse-temurin:21-jre


# What decides the dependencies: build files without sources. A changed source doesn't change this stage's
# result, so the next one comes from the cache. On the builder's own processor, as bytecode fits every one.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build-files
WORKDIR /project
COPY . .
RUN find . -type f \
        ! -name '*.gradle' ! -name '*.gradle.kts' ! -name 'gradle.properties' ! -name '*.lockfile' \
        ! -name '*.versions.toml' ! -name 'gradlew' \
        ! -path './gradle/*' ! -path './buildSrc/*' ! -path './build-logic/*' \
        -delete \
    && find . -mindepth 1 -type d -empty -delete


# The dependencies of all modules: one layer for the images of all services.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS dependencies
ENV GRADLE_USER_HOME=/gradle
WORKDIR /project
# Archives of the same classes are the same bytes, so that a module keeps its image when only another changes.
RUN mkdir -p /gradle/init.d && printf '%s\n' \
        'def external = org.gradle.api.artifacts.component.ModuleComponentIdentifier' \
        'allprojects {' \
        '    tasks.withType(AbstractArchiveTask).configureEach {' \
        '        preserveFileTimestamps = false' \
        '        reproducibleFileOrder = true' \
        '    }' \
        '    tasks.register("resolveDependencies") {' \
        '        doLast {' \
        '            def names = ["annotationProcessor", "compileClasspath", "runtimeClasspath"]' \
        '            configurations.matching { it.name in names }.each {' \
        '                it.incoming.artifactView {' \
        '                    componentFilter { external.isInstance(it) }' \
        '                }.files.files' \
        '            }' \
        '        }' \
        '    }' \
        '}' \
        > /gradle/init.d/fileflow.gradle
COPY --from=build-files /project ./
RUN sh ./gradlew --no-daemon --no-configuration-cache --console=plain resolveDependencies


# A program that asks for the application's health, because the runtime image may have no curl and no shell.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS health-check
WORKDIR /health-check
RUN printf '%s\n' \
        'import java.net.HttpURLConnection;' \
        'import java.net.URI;' \
        '' \
        '/** Exits with 0 when the Actuator of this container answers UP. Arguments are its port and a path. */' \
        'public final class HealthCheck {' \
        '    public static void main(String[] arguments) throws Exception {' \
        '        String port = arguments.length > 0 ? arguments[0] : System.getenv("MANAGEMENT_SERVER_PORT");' \
        '        port = port != null ? port : System.getenv().getOrDefault("SERVER_PORT", "8080");' \
        '        String path = arguments.length > 1 ? arguments[1] : "/actuator/health";' \
        '        URI uri = URI.create("http://127.0.0.1:" + port + path);' \
        '        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();' \
        '        connection.setConnectTimeout(2000);' \
        '        connection.setReadTimeout(3000);' \
        '        int status = connection.getResponseCode();' \
        '        System.out.println(uri + " " + status);' \
        '        System.exit(status == 200 ? 0 : 1);' \
        '    }' \
        '}' \
        > HealthCheck.java \
    && javac --release 17 HealthCheck.java \
    && rm HealthCheck.java


FROM dependencies AS build
COPY . .
# The module as Gradle names it, and its folder where that isn't the name with slashes.
ARG MODULE
ARG MODULE_DIRECTORY=
RUN case "${MODULE}" in :*) ;; *) \
        echo "MODULE is '${MODULE}'; it must be a Gradle path such as :bootstrap:bootstrap-web-api" >&2; exit 1 ;; \
    esac \
    && sh ./gradlew --no-daemon --no-configuration-cache --console=plain "${MODULE}:bootJar" \
    && IFS=: && set -- ${MODULE#:} && IFS=/ && directory="${MODULE_DIRECTORY:-$*}/build/libs" && unset IFS \
    && find "${directory}" -name '*.jar' ! -name '*-plain.jar' > /jars \
    && if [ "$(wc -l < /jars)" -ne 1 ]; then \
        echo "${directory} must hold the one jar of ${MODULE}:bootJar, but holds: $(cat /jars)" >&2; exit 1; \
    fi \
    && mkdir /application && cp "$(cat /jars)" /application/application.jar
# Layers by how often they change: a new version of the application pushes and pulls only the last one.
WORKDIR /application
RUN java -Djarmode=tools -jar application.jar extract --layers --destination /layers


FROM ${RUNTIME_IMAGE} AS runtime
WORKDIR /application
COPY --from=health-check /health-check /health-check
COPY --from=build /layers/dependencies/ ./
COPY --from=build /layers/spring-boot-loader/ ./
COPY --from=build /layers/snapshot-dependencies/ ./
COPY --from=build /layers/application/ ./

# A quarter of the task's memory stays for threads, metaspace and buffers. A JVM that ran out of memory ends, so
# that ECS starts another, and writes to /tmp only. JDK_JAVA_OPTIONS comes after these and changes single flags.
ENV JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75.0 -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData \
-XX:ErrorFile=/tmp/hs_err_pid%p.log" \
    SERVER_SHUTDOWN=graceful

# Fargate makes a declared volume writable although the root file system is read-only.
VOLUME /tmp
USER 1000:1000

# Last, so that another version of the same application keeps all layers.
ARG MODULE
ARG RUNTIME_IMAGE
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="${MODULE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${RUNTIME_IMAGE}" \
      fileflow.gradle-module="${MODULE}"

# For Docker; ECS takes the one of the task definition (settings: images.kind, health_check).
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx16m", "-cp", "/health-check", "HealthCheck"]
ENTRYPOINT ["java", "-jar", "application.jar"]
