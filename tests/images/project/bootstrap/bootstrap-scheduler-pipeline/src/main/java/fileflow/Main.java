package fileflow;

import fileflow.build.Application;

public final class Main {
    public static void main(String[] arguments) throws Exception {
        Application.run("fileflow-scheduler-pipeline", 9092, arguments);
    }
}
