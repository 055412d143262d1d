package fileflow;

import fileflow.build.Application;

public final class Main {
    public static void main(String[] arguments) throws Exception {
        Application.run("fileflow-web-api", 8083, arguments);
    }
}
