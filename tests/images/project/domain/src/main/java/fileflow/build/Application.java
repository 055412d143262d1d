package fileflow.build;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * As much of a Spring Boot application as its image's Dockerfile sees: the jar's own tool that extracts layers,
 * and an Actuator. Its package is called build, which must not be taken for Gradle's folder.
 */
public final class Application {
    private Application() {}

    public static void run(String name, int port, String[] arguments) throws IOException {
        if ("tools".equals(System.getProperty("jarmode"))) {
            extract(arguments);
            return;
        }
        String given = System.getenv("SERVER_PORT");
        HttpServer server = HttpServer.create(new InetSocketAddress(given == null ? port : Integer.parseInt(given)), 0);
        server.createContext("/actuator/health", exchange -> answer(exchange, "{\"status\":\"UP\"}"));
        server.createContext("/memory", exchange -> answer(exchange, Long.toString(Runtime.getRuntime().maxMemory())));
        server.start();
        Files.writeString(Path.of("/tmp/started"), name);
        System.out.println("Started " + name);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("Graceful shutdown complete")));
    }

    /** Like `extract --layers --destination FOLDER` of Spring Boot 3.3: the application alone in its layer. */
    private static void extract(String[] arguments) throws IOException {
        if (!List.of("extract", "--layers", "--destination").equals(List.of(arguments).subList(0, 3))) {
            throw new IllegalArgumentException(String.join(" ", arguments));
        }
        Path folder = Path.of(arguments[3]);
        for (String layer : List.of("dependencies", "spring-boot-loader", "snapshot-dependencies", "application")) {
            Files.createDirectories(folder.resolve(layer));
        }
        Path jar = Path.of(System.getProperty("java.class.path"));
        Files.copy(jar, folder.resolve("application").resolve(jar.getFileName()));
        try (JarFile file = new JarFile(jar.toFile())) {
            for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                if (entry.getName().startsWith("BOOT-INF/lib/") && !entry.isDirectory()) {
                    Path target = folder.resolve("dependencies/lib/" + Path.of(entry.getName()).getFileName());
                    Files.createDirectories(target.getParent());
                    Files.copy(file.getInputStream(entry), target);
                }
            }
        }
    }

    private static void answer(HttpExchange exchange, String body) throws IOException {
        exchange.sendResponseHeaders(200, body.length());
        try (var output = exchange.getResponseBody()) {
            output.write(body.getBytes());
        }
    }
}
